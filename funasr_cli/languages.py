"""Language codes, and the other spellings people use for them: zh-CN, zh_TW, cmn, jp, EN, chinese, 中文."""

from __future__ import annotations

from difflib import get_close_matches

NAMES = """
en english zh chinese de german es spanish ru russian ko korean fr french ja japanese pt portuguese tr turkish
pl polish ca catalan nl dutch ar arabic sv swedish it italian id indonesian hi hindi fi finnish vi vietnamese
he hebrew uk ukrainian el greek ms malay cs czech ro romanian da danish hu hungarian ta tamil no norwegian
th thai ur urdu hr croatian bg bulgarian lt lithuanian la latin mi maori ml malayalam cy welsh sk slovak
te telugu fa persian lv latvian bn bengali sr serbian az azerbaijani sl slovenian kn kannada et estonian
mk macedonian br breton eu basque is icelandic hy armenian ne nepali mn mongolian bs bosnian kk kazakh
sq albanian sw swahili gl galician mr marathi pa punjabi si sinhala km khmer sn shona yo yoruba so somali
af afrikaans oc occitan ka georgian be belarusian tg tajik sd sindhi gu gujarati am amharic yi yiddish lo lao
uz uzbek fo faroese ht haitian ps pashto tk turkmen nn nynorsk mt maltese sa sanskrit lb luxembourgish
my burmese bo tibetan tl tagalog mg malagasy as assamese tt tatar haw hawaiian ln lingala ha hausa ba bashkir
jw javanese su sundanese yue cantonese
"""

OTHERS = """
cmn zh cn zh mandarin zh chs zh cht zh tw zh zho zh chi zh putonghua zh 中文 zh 汉语 zh 普通话 zh 国语 zh
华语 zh 漢語 zh 國語 zh jp ja jpn ja 日语 ja 日文 ja 日本語 ja kr ko kor ko 韩语 ko 韩文 ko 한국어 ko 粤语 yue
广东话 yue 粵語 yue 廣東話 yue eng en us en uk-english en 英语 en 英文 en deu de ger de 德语 de fra fr fre fr
法语 fr spa es castilian es 西班牙语 es rus ru 俄语 ru por pt 葡萄牙语 pt ita it 意大利语 it ara ar 阿拉伯语 ar
hin hi tha th 泰语 th vie vi vn vi 越南语 vi ind id in id 印尼语 id msa ms 马来语 ms iw he heb he ji yi jv jw
jav jw nb no nob no nno nn ukr uk pol pl tur tr nld nl flemish nl swe sv ces cs cze cs ell el gre el ron ro
rum ro moldavian ro hun hu fin fi dan da nor no fas fa per fa farsi fa fil tl mya my myanmar my khm km lao lo
kaz kk bod bo mon mn valencian ca haitian-creole ht sinhalese si panjabi pa
"""
"""Three-letter codes, country codes, older codes and names, each followed by the language code."""


def _pairs(text: str) -> dict[str, str]:
    parts = iter(text.split())
    return dict(zip(parts, parts, strict=True))


LANGUAGE_NAMES = _pairs(NAMES)
CODES = {name: code for code, name in LANGUAGE_NAMES.items()} | _pairs(OTHERS)


def language_code(written: str) -> str:
    """Return the code that models use for a language; an unknown spelling is returned unchanged.

    Only the language of a tag such as zh-CN or zh_Hant_TW counts, except that zh-yue is Cantonese.
    """
    plain = written.strip().lower().replace("_", "-")
    if plain in CODES:
        return CODES[plain]
    first, *others = plain.split("-")
    if others and first == "zh" and "yue" in others:
        return "yue"
    code = CODES.get(first, first)
    return code if code in LANGUAGE_NAMES or code == "auto" else written


def languages_like(code: str, known: frozenset[str]) -> list[str]:
    """Suggest languages of `known` that were probably meant, by code or name."""
    by_name = {LANGUAGE_NAMES.get(language, language): language for language in known}
    close = get_close_matches(code.lower(), [*by_name, *known], n=2, cutoff=0.7)
    return list(dict.fromkeys(by_name.get(match, match) for match in close))
