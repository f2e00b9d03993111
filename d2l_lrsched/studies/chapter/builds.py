r"""Our draws against the builds of the book: the rules, committed before the first draw was made.

The book's notebooks were run anew for each build, with nothing seeded but what the process begins
with: so all builds of a run share, as far as MXNet's generator stayed the same, the initial
weights, and differ in the order of the images. A group of builds is *one* draw of the weights,
measured many times.

**Groups.** The settings of the constant and the multi-factor run are the same in 87 builds; those
of the three others are of 37 builds with the chapter's settings (square root from 1.0, cosines
from 0.5) and of 50 gentler ones (0.1 and 0.3); the constant of ten early ones had 0.5 and 40
epochs. Nine groups. The five numbers of the chapter are one more draw, and none of these.

**Numbers.** Of each group three are judged, 27 comparisons in all: the last epoch's training loss,
its test accuracy, and the mean test accuracy of the last ten epochs, which jitters less. Training
accuracies are shown only, for they follow the losses. Runs that collapsed count as collapsed, on
both sides, and in no mean.

**Spread.** A draw of ours is :math:`y_{wo} = \mu + a_w + e_{wo}` with weights w and order o, and
:math:`\sigma_a^2, \sigma_e^2` come from the analysis of variance (for unequal numbers where runs
collapsed). The builds' standard deviation is held against :math:`\sigma_e`, as shared weights
demand, and against :math:`\sqrt{\sigma_a^2 + \sigma_e^2}`, as independent builds would: a ratio
with a bootstrap interval, of builds on their side and of whole initializations on ours. Where it
contains 1 for one of the two only, the builds are what that one says; else it is open.

**Means.** If the builds are one more draw of the weights, measured n times, their mean falls with
probability :math:`1 - \alpha` into

.. math:: m \pm t_{1 - \alpha/2,\,W - 1}
          \sqrt{\sigma_a^2 + \frac{\sigma_e^2}{n} + \frac{s_W^2}{W}}

with m and :math:`s_W` mean and standard deviation of our W initializations' means, and
:math:`\alpha = 0.05 / 27` (Bonferroni). DIFFERENT: their mean lies outside. UNDECIDED: inside, but
the interval is wider than `MARGIN`. CONSISTENT: inside a narrower one. For an undecided one it is
said how many initializations would narrow it enough, if any number would.

**Split.** The book was trained on another release: another draw of the pictures. Twenty random
splits of today's 70,000, each with weights of its own, are draws of split and weights. The builds'
mean is held against them as above, at the same level, w being split and weights together. The
same weights and orders on today's split make pairs, whose mean difference, one a split, is what a
random split does; it has a t interval of 95 %.

**Collapse.** At the constant 0.3, by weights, of 32 initializations with five orders each: do the
shares of collapsed runs differ? A permutation test of their variance, at 0.05. The builds' count
is held against what one of our initializations would give: draw one of the 32, its share from
Beta(c + 1/2, n - c + 1/2), and 87 outcomes; two-sided, at 0.05.

**False alarms and power.** By simulation from our own draws: each initialization in turn is taken
for the book's and judged by the others; once as it is, and once shifted by `SHIFT`.
"""

from __future__ import annotations

from d2l_lrsched.studies.chapter.verdicts import MARGIN as OF_ONE_RUN

#: Experiment -> settings of the builds that have it.
GROUPS = {
    "constant": ("seed", "gentler"),
    "square-root": ("seed",),
    "multi-factor": ("seed", "gentler"),
    "cosine": ("seed",),
    "cosine-warmup": ("seed",),
    "gentler-square-root": ("gentler",),
    "gentler-cosine": ("gentler",),
    "gentler-cosine-warmup": ("gentler",),
    "early-constant": ("early",),
}
NUMBERS = ("train_loss", "test_acc", "late_test_acc")
#: The widest interval that still decides: as for one printed number.
MARGIN = {
    "train_loss": OF_ONE_RUN["train_loss"],
    "test_acc": OF_ONE_RUN["test_acc"],
    "late_test_acc": OF_ONE_RUN["test_acc"],
}
#: Half of a margin: the difference whose power is given.
SHIFT = {number: margin / 2 for number, margin in MARGIN.items()}
LATE_EPOCHS = 10
