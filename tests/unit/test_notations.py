"""Numbers are known in every notation that people use, and a name, a date or a version is none."""

import pytest

from bnbench.notations import is_other, is_plain


@pytest.mark.parametrize("text", ["1", "-1.5", "+.5", "1.", "2e-3", "nan", "-Infinity", " 1.5\t"])
def test_what_programs_read_is_plain(text):
    assert is_plain(text)
    assert not is_other(text)


@pytest.mark.parametrize(
    "text",
    [
        *("1,5", "-1,5", "1.234,56", "1,234.56", "1'234", "1 234", "1\u00a0234,5", "1_000", "12%", "12 %", "3‰"),
        *("€5.20", "5 €", "-$5", "$-5", "5 EUR", "CHF 5.20", "(5.20)", "−1.5", "0x1f", "1,5e-3", "1.5\u00a0"),
        *("1.\x005", "\ufeff1.5", "1\u200b.5", "tensor(0.71)", "np.float64(0.71)"),
    ],
)
def test_what_only_people_read_is_a_number_in_another_notation(text):
    assert not is_plain(text)
    assert is_other(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "?", "-", "%", "€", "n.a.", "none", "batch", "h1", "12a", "1/2", "10-12", "555-123", "2020-01-31"),
        *("31.1.2020", "10:30", "1.2.3", "192.168.0.1", "1,2,3", "1 2", "5 kg", "\x00", "9" * 100 + ",5"),
    ],
)
def test_other_texts_are_no_numbers(text):
    assert not is_plain(text)
    assert not is_other(text)


def test_a_long_text_takes_no_time():
    for text in ("1" * 10**6 + "x", "1,234" * 10**5, "1'234" * 12):
        assert not is_plain(text)
        is_other(text)
