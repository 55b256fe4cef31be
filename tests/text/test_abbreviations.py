"""A full stop ends a sentence or an abbreviation."""

from __future__ import annotations

import pytest

from funasr_cli.text.sentences import sentences
from funasr_cli.transcript import Token, join


def parted(text: str, pieces: str = " ") -> list[str]:
    """The sentences of `text`, each word a token as models write them; `|` is a pause of 0.6 s."""
    tokens, at = list[Token](), 0.0
    for word in text.split(" "):
        if word == "|":
            at += 0.6
        else:
            tokens.append(Token(f" {word}" if tokens else word, at, at + 0.2, 0.9))
            at += 0.2
    return [join(sentence) for sentence in sentences(tokens)]


@pytest.mark.parametrize(
    "text",
    [
        "Mr. Smith and Dr. Jones met Mrs. Brown at St. Paul Street at 5 p.m. on Monday.",
        "They talked about the U.S. government for two hours.",
        "The U.S. Army and Prof. Lee went to Washington D.C. by train.",
        "John F. Kennedy met J. R. R. Tolkien and George W. Bush.",
        "It was Real Madrid vs. Arsenal, i.e. Spain vs. England, e.g. Madrid.",
        "See No. 5 and p. 12 of vol. 2, Sept. 3.",
        "Dr. No and Mr. A. Will met Ms. The.",
        "Apple Inc. CEO Tim Cook and Sammy Davis Jr. sang.",
        "Das gilt z. B. für Berlin und d. h. auch für u. a. Hamburg.",
        "Hr. Müller und Fr. Schmidt kommen am 3. Oktober im 19. Jahrhundert bzw. Nr. 7 vor.",
        "M. Le Pen et Mme. La Tour arrivent.",
        "El Sr. García y la Dra. Pérez, p. ej. en EE.UU. ayer.",
        "Il Sig. Rossi e la Dott. Bianchi.",
        "O Sr. Silva chegou.",
        "В 1999 г. Иванов, т. е. А. С. Пушкин, жил на ул. Ленина.",
        "Wij zien dhr. Jansen bijv. morgen.",
    ],
)
def test_an_abbreviation_ends_no_sentence(text: str) -> None:
    assert parted(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "We left at 5 p.m.¦ The next day came.",
        "He lives in the U.S.¦ They like it.",
        "It was 5 p.m.¦ And then?",
        "Is it there?¦ No.¦ It is not.",
        "Yes.¦ No.¦ Peter went home.",
        "We need vitamin C.¦ It helps.",
        "So did I.¦ Peter did not.",
        "They sell apples etc.¦ We sell pears.",
        "Wir sahen Autos usw.¦ Dann gingen wir.",
        "Trabaja en EE.UU.¦ Después vuelve.",
        "He ended there...¦ Mr. Smith went on.",
        "He is from Zone 3.¦ Peter is not.",
        "It is 5 p.m. |¦ Peter leaves.",
        "Oui, il y en a.¦ Paul aussi.",
    ],
)
def test_a_sentence_ends_with_an_abbreviation_if_another_begins(text: str) -> None:
    assert parted(text.replace("¦", "")) == [part.replace(" |", "").strip() for part in text.split("¦")]


def test_pieces_of_an_abbreviation_are_read_together() -> None:
    """Whisper's own words: a full stop may begin one."""
    pieces = [" At", " 5", " p", ".m.", " Monday", " in", " the", " U", ".S.", " Army.", " They", " left."]
    tokens = [Token(piece, i / 10, i / 10 + 0.1, 0.9) for i, piece in enumerate(pieces)]
    assert [join(sentence) for sentence in sentences(tokens)] == ["At 5 p.m. Monday in the U.S. Army.", "They left."]


@pytest.mark.parametrize(
    "text",
    ["هل جاء؟¦ نعم", "وہ آیا۔¦ پھر گیا", "वह आया।¦ फिर गया", "Եկավ։¦ Գնաց", "မလာဘူး။¦ သွားပြီ", "មក។¦ ទៅ", "መጣ።¦ ሄደ"],
)
def test_sentences_end_in_every_script(text: str) -> None:
    assert parted(text.replace("¦", "")) == [part.strip() for part in text.split("¦")]
