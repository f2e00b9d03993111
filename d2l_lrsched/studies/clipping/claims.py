"""What the clipping paper claims, as data.

The paper ("Ứng Dụng Gradient Clipping và Learning Rate Scheduler Trong Huấn Luyện Mô Hình Học
Sâu") ranks four combinations in words, without numbers. We train every combination, an arm, with
the same seeds, and compare arms pair by pair of a seed: `verdicts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

ARMS = ("neither", "clipping", "scheduler", "both")


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
    """One claim of the paper about two arms.

    Attributes
    ----------
    source : str
        The paper's section.
    words : str
        The claim in our words.
    measure : str
        A name in `measures.MEASURES`.
    worse, better : str
        Two of `ARMS`; which is which matters not where they are claimed equal.
    relation : {'<', '='}
        Whether `better` is claimed to be really better, or as good.
    """

    source: str
    words: str
    measure: str
    worse: str
    better: str
    relation: str = "<"


def _of_the_table() -> tuple[Claim, ...]:
    """Return what the table's neighbouring rows claim, by every measure of a column."""
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
            relation = "=" if one == other else "<"
            found += [Claim("4.4", words, name, worse, better, relation) for name in measures]
    return tuple(found)


#: At most 25: ten pairs give no p-value below 2/1024, and all claims together are judged at 5 %.
CLAIMS = (
    *_of_the_table(),
    Claim(
        "4.2",
        "clipping slows convergence; contradicts table 4.4, where clipping converges better than "
        "neither",
        "epochs to 0.85",
        worse="clipping",
        better="neither",
    ),
    Claim("4.3", "a scheduler avoids overfitting", "overfitting", "neither", "scheduler"),
    Claim("4.3", "a scheduler smooths the learning curve", "roughness", "neither", "scheduler"),
    Claim("6", "both together are most effective", "test accuracy", "clipping", "both"),
    Claim("6", "both together are most effective", "test accuracy", "neither", "both"),
)

#: A run without anything, then with each remedy, on the same seeds: at the chapter's rate, and at
#: that of the four combinations, where the scheduler's beginning is a warmup.
REMEDIES: Sequence[tuple[str, tuple[str, ...]]] = (
    ("rate-0.3", ("rate-0.3-clipped", "rate-0.3-warmup")),
    ("neither", ("clipping", "scheduler", "both")),
)
