"""What the clipping paper claims, as data.

The paper ("Ứng Dụng Gradient Clipping và Learning Rate Scheduler Trong Huấn Luyện Mô Hình Học
Sâu") ranks four combinations in words, without numbers. We train every combination, an arm, with
the same seeds, and compare arms two by two: `verdicts`. A fifth arm, which the paper has not,
asks whether clipping does more than a constant rate that is lower by what clipping takes from a
step on average.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

ARMS = ("neither", "clipping", "scheduler", "both")
#: The fifth arm.
LOWER = "lower-rate"


class Word(NamedTuple):
    """A word of the paper's table, in English and as printed."""

    english: str
    printed: str

    def __str__(self) -> str:
        return f"{self.english} ({self.printed})"


class Ranking(NamedTuple):
    """A row of the paper's table 4.4: its label as printed and its three words."""

    label: str
    stability: Word
    convergence: Word
    effectiveness: Word


_LOW, _POOR, _MEDIUM = Word("low", "Thấp"), Word("poor", "Kém"), Word("medium", "Trung bình")
_GOOD, _VERY_GOOD, _HIGH = Word("good", "Tốt"), Word("very good", "Rất tốt"), Word("high", "Cao")
#: Arm -> what the paper's table says of it.
PAPER: Mapping[str, Ranking] = {
    "neither": Ranking("Không dùng", _LOW, _POOR, _MEDIUM),
    "clipping": Ranking("Chỉ clipping", _MEDIUM, _MEDIUM, _GOOD),
    "scheduler": Ranking("Chỉ scheduler", _GOOD, _GOOD, _GOOD),
    "both": Ranking("Kết hợp", _VERY_GOOD, _HIGH, _VERY_GOOD),
}


@dataclass(frozen=True)
class Claim:
    """One claim that an arm is better than another, or than each of several.

    Attributes
    ----------
    source : str
        The paper's section.
    words : str
        The claim in our words.
    measure : str
        A name in `measures.MEASURES`.
    worse : tuple of str
        The arms than which `better` is claimed to be better, each of them.
    better : str
    """

    source: str
    words: str
    measure: str
    worse: tuple[str, ...]
    better: str


def _of_the_table() -> tuple[Claim, ...]:
    """Return what the table's neighbouring rows claim, by every measure of a column.

    Two equal words claim nothing: they need not mean equal to the last digit.
    """
    columns = {
        "stability": ("survival", "roughness"),
        "convergence": ("epochs to 0.85", "final loss"),
        "effectiveness": ("test accuracy",),
    }
    found = []
    for column, measures in columns.items():
        for worse, better in zip(ARMS, ARMS[1:]):
            one, other = getattr(PAPER[worse], column), getattr(PAPER[better], column)
            words = f"{column}: {worse} {one.english}, {better} {other.english}"
            if one != other:
                found += [Claim("4.4", words, name, (worse,), better) for name in measures]
    return tuple(found)


_ALONE = ARMS[:-1]
#: The paper's. Its section 4.2 says that clipping slows convergence, and so the contrary of what
#: table 4.4 says of neither and clipping: one comparison, which answers both.
CLAIMS = (
    *_of_the_table(),
    Claim("4.3", "a scheduler avoids overfitting", "overfitting", ("neither",), "scheduler"),
    Claim("4.3", "a scheduler smooths the learning curve", "roughness", ("neither",), "scheduler"),
    Claim(
        "4.3",
        "late in training a scheduler lessens oscillation",
        "late oscillation",
        ("neither",),
        "scheduler",
    ),
    Claim("6", "both together are most effective", "test accuracy", _ALONE, "both"),
)
#: What we ask beside the paper.
ASKED = tuple(
    Claim(
        "-", "clipping does more than a constant rate lower by as much", name, (LOWER,), "clipping"
    )
    for name in ("survival", "roughness", "epochs to 0.85", "final loss", "test accuracy")
)

#: A run without anything and the remedies for it: at the chapter's rate, and at that of the arms,
#: where the scheduler's beginning is a warmup.
REMEDIES: Sequence[tuple[str, tuple[str, ...]]] = (
    ("rate-0.3", ("rate-0.3-clipped", "rate-0.3-warmup")),
    ("neither", ("clipping", "scheduler", "both", LOWER)),
)
