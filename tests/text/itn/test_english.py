"""English numbers in figures, and those that stay in words."""

from __future__ import annotations

import pytest

from tests.text.itn.test_normaliser import written


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("March fifth, twenty twenty-four", "March 5, 2024"),
        ("in nineteen forty nine", "in 1949"),
        ("in nineteen oh five", "in 1905"),
        ("grew by five point three percent", "grew by 5.3%"),
        ("five percent of them", "5% of them"),
        ("three hundred and twenty five dollars", "$325"),
        ("two point five billion dollars", "$2.5 billion"),
        ("two hundred and fifty thousand people", "250,000 people"),
        ("call five five five one two three four", "call 5551234"),
        ("the twenty-first century", "the 21st century"),
        ("three million", "3 million"),
        ("the twenty second of March", "the 22nd of March"),
        ("March twenty second", "March 22"),
        ("the thirty second anniversary", "the 32nd anniversary"),
        ("a one hundred twenty second timer", "a 120 second timer"),
        ("point five percent", "0.5%"),
        ("up by point two five percentage points", "up by 0.25 percentage points"),
        ("the two hundred and first day", "the 201st day"),
        ("the two hundred and second anniversary", "the 202nd anniversary"),
        ("the two hundred fiftieth anniversary", "the 250th anniversary"),
        ("twenty five dollars fifty", "$25.50"),
        ("twenty five dollars fifty a share", "$25.50 a share"),
        ("two dollars and five cents each", "$2.05 each"),
        ("two hundred thousand to three hundred thousand dollars", "$200,000 to $300,000"),
        ("two to three million dollars", "$2 to $3 million"),
        ("five to six percent", "5% to 6%"),
        ("five or six percent", "5% or 6%"),
        ("from nineteen thirty nine to nineteen forty five", "from 1939 to 1945"),
        ("two hundred and nineteen to two hundred and thirteen", "219 to 213"),
        ("one to one hundred", "1 to 100"),
        ("at this point one hundred people", "at this point 100 people"),
        ("Boeing seven forty seven", "Boeing 747"),
        ("room one oh two", "room 102"),
        ("flight two fifteen", "flight 215"),
        ("area code two one two", "area code 212"),
        ("double five double two nine nine", "552299"),
        ("dial one eight hundred , five five five , double two nine nine", "dial 1800 , 555 , 2299"),
        ("seven thirty a.m.", "7:30 a.m."),
        ("twelve oh five in the morning", "12:05 in the morning"),
        ("one twenty over eighty", "120 over 80"),
        ("five five five one two three four one more time", "5551234 one more time"),
        ("the code is four four five two two of them failed", "the code is 4452 two of them failed"),
        ("on May five we left", "on May 5 we left"),
        ("four double rooms for twenty five people", "four double rooms for 25 people"),
    ],
)
def test_english(said: str, read: str) -> None:
    assert written(said) == read


@pytest.mark.parametrize(
    "text",
    [
        "no one came",
        "one by one",
        "twelve people",
        "one or two",
        "two or three hundred",
        "I may second that",
        "one two three go",
        "twenty four seven",
        "one hundred and two hundred",
        "zero point in that",
        "the third man",
        "sixty second timer",
        "a twenty second delay",
        "thirty second commercial",
        "two hundred and second",
        "one hundredth of a second",
        "two hundred thousandth",
        "at this point five people",
        "fifty to sixty kilometers",
        "two to three hundred",
        "twenty to thirty thousand people",
        "two hundred to three hundred thousand",
        "three or four or five hundred",
        "nine to five",
        "in May one of them left",
        "by June three people had quit",
        "in September two teams merged",
        "seventeen eighteen years old",
        "nineteen twenty dollars",
        "eighteen twenty year olds",
        "the code is four four five two two people left",
        "it fell to three point five one day later",
        "twenty one more time",
        "fifty to sixty one more time",
        "room one oh two three men",
        "twenty two thirds agreed",
        "one two three , go",
    ],
)
def test_english_that_stays_in_words(text: str) -> None:
    assert written(text) == text
