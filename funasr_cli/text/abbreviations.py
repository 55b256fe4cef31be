"""Full stops that end an abbreviation rather than a sentence.

Some abbreviations never end a sentence (Mr., z. B.). Some are words unless a number follows (No. 5). Others may end a
sentence (p.m., U.S., an initial): they do if the speaker pauses, or if the next word typically begins sentences, the
criterion of T. Kiss and J. Strunk ("Unsupervised multilingual sentence boundary detection", 2006). A name or a noun
continues the sentence.
"""

from __future__ import annotations

import re

END_PAUSE_S = 0.5
"""Seconds of silence after an abbreviation that end the sentence."""


def _words(*lists: str) -> frozenset[str]:
    return frozenset(word for words in lists for word in words.split())


_NEVER_LAST = _words(
    "Mr Mrs Ms Messrs Dr Prof Gen Col Capt Lt Sgt Maj Cpl Adm Rev Hon Pres Gov Sen Rep Mt e.g i.e viz cf vs approx",
    "M MM Mme Mlle Mgr p.ex c.-à-d",
    "Hr Hrn Fr Dipl Ing z.B d.h bzw ca evtl ggf inkl sog vgl bspw nr Nr",
    "Sr Sra Srta Sres Dña Dra Ud Uds p.ej ej Exmo",
    "Sig Sigg Dott Avv dott.ssa prof.ssa",
    "Dhr dhr Mevr mevr Drs bijv d.w.z t.ex bl.a f.eks dvs np tzn tj inż např tzv",
    "т.е т.к напр ул проф акад св",
)
"""Abbreviations without their last full stop; those in lower case also match with a capital first letter."""

_BEFORE_NUMBERS = _words(
    "No Nos no pp p vol ch fig art sec para núm n.º Bd Kap Abs Tel kl",
    "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec",
)

_MAYBE_LAST = _words(
    "etc Inc Ltd Co Corp Bros Jr St Ave Blvd Rd Dept Univ",
    "usw usf Str EE.UU EE UU Cía osv enz itd itp т.д т.п др г гг руб",
)

_OPENERS = _words(
    "The This That These Those There They They're Their Then It It's Its He He's His She She's Her We We're Our You",
    "Your I I'm I've My A An And But Or So If In On At For From With After Before When While What Who Why How Where",
    "Because As Not No Yes Now Here All Some Many Most Both Let Let's Please Today Tomorrow Yesterday Once Still Also",
    "However Meanwhile Is Are Was Were Do Does Did Don't Can Could Would Should Has Have Had By To Nobody Everybody",
    "Der Die Das Den Dem Ein Eine Einen Er Sie Es Wir Ich Ihr Und Aber Oder Dann Danach Da Wenn Weil Als Wie Was Wer",
    "Wo Warum Im Am An Auf Bei Mit Nach Von Zu Für Auch Nicht Nun Jetzt Heute Hier Dort Doch Diese Dieser Dieses Man",
    "Le La Les L'on Un Une Des Il Elle Ils Elles On Nous Vous Je Tu Ce C'est Cette Ces Et Mais Ou Donc Alors Puis Dans",
    "En À Pour Avec Sur Quand Si Que Qui Où Comment Pourquoi Mon Notre Oui Non Ensuite Après",
    "El Los Las Una Él Ella Ellos Yo Usted Y Pero Con Por Para Cuando Qué Quién Cómo Después Luego Entonces Este Esta",
    "Esto Ese Esa Eso Sí Su Mi Hoy Lo Gli Lui Lei Noi Loro Io E Ma Se Poi Che Come Dove Questo Questa Dopo Oggi",
    "O Os Um Uma Ele Ela Eles Nós Eu Você Mas Depois Não De Het Een Hij Zij Ze Ik Maar Dan Toen Op Van Niet Nu",
    "Он Она Они Мы Я Вы Это В На И Но А Если Когда Потом",
)
"""Function words, which begin sentences and are not names, in the languages of the abbreviations."""

_AFTER_ORDINALS = re.compile(
    r"(Januar|Jänner|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember)\b|(Jahrhundert|Weltkrieg)"
)
"""Words after German ordinals, which are numbers with a full stop: am 3. Oktober."""

_LETTERS = re.compile(r"(?<![^\W\d_])(?:[^\W\d_]\.\s?)+$")
"""Letters at the end of a text, each with a full stop: U.S., p.m., z. B., or a single initial."""

_ORDINAL = re.compile(r"(?<!\S)\d{1,2}\.$")
_FIRST_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


def goes_on(text: str, following: str, pause: float) -> bool:
    """Whether `text` ends with an abbreviation after which the sentence continues.

    `text` is the text so far, with a full stop at its end; its last words are enough. `following` is the next word,
    after `pause` seconds of silence.
    """
    word = _last_word(text)
    begun = _FIRST_WORD.search(following)
    after = begun.group().replace("’", "'") if begun else ""
    if _ORDINAL.search(text):
        return after[:1].islower() or _AFTER_ORDINALS.match(after) is not None
    letters = _LETTERS.search(text)
    run = letters.group().replace(" ", "")[:-1] if letters else word
    if _is_in(run, _NEVER_LAST) or _is_in(word, _NEVER_LAST):
        return True
    if after[:1].isdigit() and (_is_in(word, _BEFORE_NUMBERS) or len(run) == 1):
        return True
    if not (_is_in(word, _MAYBE_LAST) or _is_abbreviated(run, after, following)):
        return False
    if after[:1].islower():
        return True
    is_opener = after in _OPENERS and not _is_initial(after, following)
    return after != "" and pause < END_PAUSE_S and not is_opener


def leads_on(text: str) -> bool:
    """Whether `text` ends with an abbreviation that belongs to the next word: a title, an initial, No., U.S."""
    if not text.endswith("."):
        return False
    word = _last_word(text)
    return _is_in(word, _NEVER_LAST) or word in ("No", "Nos", "St") or word.replace(".", "").isupper()


def _last_word(text: str) -> str:
    return text.split()[-1].lstrip("\"'“‘¿¡([{")[:-1]


def _is_abbreviated(run: str, after: str, following: str) -> bool:
    """Whether letters with full stops are an abbreviation.

    Several letters are, a capital is, and a small letter is before another letter (p. ej.) or a small word.
    """
    if len(run) == 1:
        return (run.isupper() and run != "I") or _is_initial(after, following) or after[:1].islower()
    return len(run) > 2 and run[1::2].strip(".") == ""


def _is_initial(after: str, following: str) -> bool:
    return len(after) == 1 and after.isalpha() and following.strip()[1:2] == "."


def _is_in(word: str, words: frozenset[str]) -> bool:
    return word in words or (word[:1].isupper() and word[:1].lower() + word[1:] in words)
