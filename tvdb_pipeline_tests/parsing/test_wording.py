"""Text layers that are language, and such that only look like it."""

from __future__ import annotations

import pytest

from tvdb_pipeline.parsing.pdf.wording import is_garbage, word_share

ENGLISH = (
    "This policy covers loss of or damage to the insured building caused by fire and lightning, up to the limit of liability "
    "that is stated in the schedule. Your deductible applies to each loss and is not part of the limit."
)
GERMAN = (
    "Die Versicherung ersetzt den Schaden, der durch Feuer und Wasser entstanden ist, nicht aber den durch Krieg. Der Vertrag "
    "verl\u00e4ngert sich um ein Jahr, wenn er nicht von einer der Parteien gek\u00fcndigt wird."
)
POLISH = (
    "Umowa ubezpieczenia zawierana jest na okres jednego roku. Ubezpieczyciel pokrywa szkody powsta\u0142e wskutek po\u017caru, "
    "przepi\u0119cia oraz zalania, je\u015bli zosta\u0142y zg\u0142oszone w terminie trzech dni."
)
CODES = "VIN 1FTFW1ET5DFC10312 TX BOP CGL HMO PPO DOB SSN GVW PKG MTX QTR 4410 5512 KLM RST BCD NPQ WXZ"
RUSSIAN = "Страховщик возмещает ущерб от пожара " * 10


def shifted(text: str, by: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    moved = letters[by:] + letters[:by]
    return text.translate(str.maketrans(letters + letters.upper(), moved + moved.upper()))


@pytest.mark.parametrize("text", [ENGLISH, ENGLISH.upper(), GERMAN, POLISH, CODES, RUSSIAN, "", "12 of 40"])
def test_language_codes_and_numbers_are_taken_as_they_are(text: str) -> None:
    assert not is_garbage(text)


@pytest.mark.parametrize("text", [ENGLISH, GERMAN, ENGLISH.upper()])
@pytest.mark.parametrize("by", [1, 3, 13])
def test_letters_all_shifted_are_garbage(text: str, by: int) -> None:
    assert is_garbage(shifted(text, by))


def test_letters_exchanged_at_random_are_garbage() -> None:
    assert is_garbage(
        ENGLISH.lower().translate(str.maketrans("abcdefghijklmnopqrstuvwxyz", "qwxrtzpsdfbghklmnjvcyoieua"))
    )


@pytest.mark.parametrize(
    "text", ["(cid:12)(cid:3)(cid:77) Page 1", "\ufffd\ufffd\ufffd a", "\ue001\ue014 \ue0a0 b", "/g12/g44 /g9"]
)
def test_glyphs_without_letters_are_garbage(text: str) -> None:
    assert is_garbage(text)


@pytest.mark.parametrize(
    "text",
    [
        "\u092c\u0940\u092e\u093e \u092a\u0949\u0932\u093f\u0938\u0940 \u0906\u0917 \u0914\u0930 \u092a\u093e\u0928\u0940",
        "\u672c\u4fdd\u9669\u5355\u627f\u4fdd\u706b\u707e\u3001\u6c34\u6e0d\u3002",
    ],
)
def test_words_of_other_scripts_count_as_words(text: str) -> None:
    assert word_share(text) == 1
