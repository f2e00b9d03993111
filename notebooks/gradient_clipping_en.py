# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Gradient clipping, measured
#
# [Tiếng Việt](gradient_clipping_vi.ipynb)
#
# A single bad batch can undo a training that has gone well for hours. Gradient clipping is the
# simplest guard against it: if the gradient is too long, shorten it. This notebook explains how
# and why, and then does what is done too rarely: it takes the claims that a paper makes about
# clipping and learning rate scheduling (in Vietnamese; named under *Sources*), turns its words
# into measures, and asks recorded runs whether they hold.
#
# **You will learn** to clip a gradient, by its norm and at the right place of the loop; to choose a
# threshold by a rule; and to turn a claim made in words into a test. **You need** SGD, LeNet and
# the notebook on [learning rate scheduling](lr_scheduling_en.ipynb). **It takes** about 90 minutes.
# One cell, in section 8, really trains, for two epochs; all others read records or compute for
# seconds.

# %%
# %matplotlib inline
# %config InlineBackend.figure_format = "retina"
import math
from itertools import islice
from statistics import median

import mxnet as mx
import pandas as pd
from d2l import mxnet as d2l
from mxnet import autograd, gluon, np, npx

import d2l_lrsched as lrs
from d2l_lrsched.runs import frames, record
from d2l_lrsched.studies.clipping import claims, descent, figures, tables, verdicts
from d2l_lrsched.studies.clipping.experiments import CLIP_NORM, COLLAPSE, HIGH_RATE
from d2l_lrsched.studies.clipping.measures import MEASURES, measure
from d2l_lrsched.translation import Words

npx.set_np()
words = Words("en")
ARMS = (*claims.ARMS, claims.LOWER)
runs = record.read("../figures/clipping/runs.jsonl")
words.print(len(runs), "runs of", ", ".join(dict.fromkeys(run.experiment for run in runs)))

# %% [markdown]
# ## 1. How one batch throws everything away
#
# SGD moves the parameters by
#
# $$\theta \leftarrow \theta - \eta \, g ,$$
#
# a step of length $\eta \lVert g \rVert$. We choose the learning rate $\eta$; the length of the
# gradient $g$ is chosen by the data. And the gradient knows only how steep the ground is *here*,
# not how far the slope goes on. Where the loss has a cliff, $\lVert g \rVert$ is huge on its face,
# and the step that follows lands far away, where nothing that was learned is worth anything.
#
# Pascanu, Mikolov and Bengio (2013) described this for recurrent networks: the same matrix
# multiplies the gradient at every time step, and such a product shrinks or grows exponentially.
# The growing is the *exploding gradient*.
#
# LeNet repeats no matrix, but it can be hit as well. After one step that is too long, a layer of
# relus may be 0 for every image. Where a relu is 0, so is its gradient: hardly anything is left to
# lead the way back. The network then gives all images the same scores, its loss is $\ln 10$ and its
# accuracy 0.1. We call a run **collapsed** if at its end the class scores of any two test images
# differ by less than 0.01. Runs whose numbers are no longer finite are counted with them.
#
# How large do gradients get? Our pilot trained LeNet for two epochs at the constant rate 0.5
# without clipping and measured the global norm of every update.

# %%
for outcome in ("trained", "collapsed"):
    pilot = [run for run in runs if run.experiment == "pilot" and run.outcome == outcome]
    largest = [max(epoch.norm_max for epoch in run.epochs) for run in pilot]
    times = [run.epochs[0].norm_max / run.epochs[0].norm_median for run in pilot]
    words.print(f"{len(pilot)} runs that {outcome}:")
    words.print(f"  largest gradient norm: {min(largest):.1f} to {max(largest):.1f}")
    words.print(f"  in the first epoch {min(times):.0f} to {max(times):.0f} times the median norm")

# %% [markdown]
# Even in a run that goes well, some gradients are many times longer than the usual one. But look at
# the first lines of the two groups: they overlap. A long gradient is dangerous, but its length
# alone does not say which run collapses. (The largest ratios come from networks that have collapsed
# or are slow to begin: these have hardly any gradient, so their usual norm is tiny.)

# %% [markdown]
# ## 2. Two ways to clip
#
# **By the global norm.** Read the gradients of all parameters as one long vector $g$ and shorten
# it if it is longer than the threshold $c$:
#
# $$g \leftarrow \begin{cases} g & \lVert g \rVert \le c \\
# \dfrac{c}{\lVert g \rVert} \, g & \lVert g \rVert > c \end{cases}
# \qquad \lVert g \rVert = \sqrt{\textstyle\sum_i g_i^2}$$
#
# The direction stays; no step is longer than $\eta c$.
#
# **By value.** Clip each component for itself: $g_i \leftarrow \min(\max(g_i, -c), c)$. What that
# does to the direction is seen with two components:

# %%
gradient = np.array([3.0, 0.5])
by_norm, by_value = gradient.copy(), gradient.copy()
lrs.clip_global_norm([by_norm], max_norm=1.0)
lrs.clip_value([by_value], max_value=1.0)
rows = []
for name, g in {"as it is": gradient, "by norm": by_norm, "by value": by_value}.items():
    g1, g2 = g.tolist()
    angle = math.degrees(math.atan2(g2, g1))
    rows.append((name, f"({g1:.3f}, {g2:.3f})", f"{math.hypot(g1, g2):.3f}", f"{angle:.1f}°"))
words.table(pd.DataFrame(rows, columns=["clipped", "gradient", "norm", "angle"]))

# %% [markdown]
# Clipping by the norm makes both components smaller by the same factor, and the angle stays.
# Clipping by value cuts the large component only, and the arrow turns towards the diagonal. It
# still points downhill, for no component changes its sign, but no longer along the steepest
# descent. The paper clips by the norm (its section 3.1), and so do we from here on.

# %% [markdown]
# ## 3. A threshold for the mean gradient
#
# The loss in Gluon is a vector, one number an example, so `backward()` leaves the *sum* of the
# batch's gradients; the division by the batch size comes later, in `trainer.update(batch_size)`.
# Clipping stands between the two. Whoever compares the raw sum with $c$ has a threshold that is
# stricter than meant by the factor $n$, the batch size, and that changes with it. Even within one
# epoch: 60000 is no multiple of 256, and the last batch has only 96 examples.
#
# So our functions take the batch size, and norm and threshold are those of the mean gradient:

# %%
for n in (256, 60000 % 256):
    total = n * np.array([3.0, 4.0])  # the sum over n examples; their mean has norm 5
    norm = lrs.clip_global_norm([total], max_norm=1.0, batch_size=n)
    g1, g2 = (total / n).tolist()
    words.print(f"{n} examples: norm {float(norm):.3f}, clipped mean gradient ({g1:.3f}, {g2:.3f})")

# %% [markdown]
# The mean gradient is the same in both batches, and so is what clipping makes of it. In your own
# loop write `X.shape[0]`, never 256.

# %% [markdown]
# ## 4. When the gradient is not finite
#
# An overflow puts inf or nan into the gradient. Scaling cannot help: $c / \infty = 0$, and
# $0 \cdot \infty$ is nan. Worse, nan > c is false, so careless clipping lets nan pass in silence;
# one update later it sits in the parameters, and soon every output is nan. The package leaves you
# two choices:

# %%
broken = np.array([1.0, math.inf, 2.0])
try:
    lrs.clip_global_norm([broken], max_norm=1.0)
except FloatingPointError as error:
    words.print(f"raise: {error}; the gradient stays {broken.tolist()}")
norm = lrs.clip_global_norm([broken], max_norm=1.0, nonfinite="skip")
words.print(f"skip: norm {float(norm)}, the gradient becomes {broken.tolist()}")

# %% [markdown]
# `raise` stops, says which array it was and touches nothing. `skip` makes the whole gradient 0,
# which for plain SGD means: no update. In `lrs.train` a bad gradient never reaches the parameters;
# with `nonfinite="raise"`, the default, the training ends with an error as soon as the norms are
# read, every 50 batches, and with `"skip"` it goes on and counts the updates skipped.

# %% [markdown]
# ## 5. Where clipping stands in the loop
#
# `trainer.step` does two things at once: it sums the gradients of all devices and updates the
# parameters. Clipping belongs between them, so we call the two by their own names. The order is:
# `backward`, `allreduce_grads`, clip, `update`. Clip before the sum, and each device compares only
# its own share with the threshold. The paper lists setting the learning rate as a step of its own;
# in Gluon the Trainer asks its scheduler within `update`. Rate and threshold, 0.5 and 0.7, are
# those of our experiment; [section 7](#7.-How-the-threshold-was-chosen) says how the threshold was
# chosen.

# %%
train_iter, test_iter = lrs.load_fashion_mnist(batch_size=256)
net, ctx, loss = lrs.fast_lenet(), d2l.try_gpu(), gluon.loss.SoftmaxCrossEntropyLoss()
mx.random.seed(0)
net.initialize(mx.init.Xavier(), ctx=ctx)
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": HIGH_RATE})

# %%
for X, y in islice(train_iter, 8):
    X, y = X.as_in_ctx(ctx), y.as_in_ctx(ctx)
    with autograd.record():
        losses = loss(net(X), y)
    losses.backward()
    trainer.allreduce_grads()
    gradients = [p.grad(ctx) for p in net.collect_params().values() if p.grad_req != "null"]
    norm = lrs.clip_global_norm(gradients, CLIP_NORM, X.shape[0])
    applied = lrs.global_norm(gradients, X.shape[0])
    trainer.update(X.shape[0])
    words.print(f"gradient norm {float(norm):.2f}, applied {applied:.2f}")

# %% [markdown]
# Watch the first few updates: the first gradients are short enough to pass untouched. As soon as
# the network begins to learn they grow, and what is applied of them has the norm of the threshold.
#
# Clipping is not free: the norm takes every element of every gradient. In our
# [benchmark](../figures/speed/README.md) an epoch of this net took 10 % longer with it (the median
# of 6 pairs of epochs, which lie between -9 % and 21 %).

# %% [markdown]
# ## 6. Two weights
#
# The paper's first experiment is as small as can be: minimize $L = w_1^2 + w_2^2$. Its gradient is
# $2w$, so all points of a descent lie on the line through start and minimum, and we can calculate
# every step beforehand. Without clipping a step multiplies $w$ by $1 - 2\eta$:
#
# $$\eta = 0.4: \; 0.2 \qquad \eta = 0.9: \; -0.8 \qquad \eta = 1.1: \; -1.2$$
#
# That is a fast descent, one that jumps from side to side but arrives, and one that runs away.
# With clipping, each step is $\eta c$ long until the gradient is no longer than $c$, here 1.

# %%
descents = descent.descents()
words.figure(figures.quadratic(descents))

# %% [markdown]
# Above are the paths, 40 steps from $(3, 5)$; the steps are long where the markers lie far apart.
# Inside the small dotted circle the gradient is shorter than the threshold, and nothing is clipped.
# Below, on logarithmic axes, the gradient's norm before clipping, and the loss. A loss that stays
# below the dash-dotted line, 0.001, counts as *settled*.

# %%
words.table(tables.descent_table(descents))

# %% [markdown]
# The paper's own table has two rows. Without clipping: norm "> 10", fast but unstable. With
# clipping: norm "= 1", slow and stable. Beside what we measured:
#
# - **Fast or slow hangs on the rate.** At 0.4 the descent without clipping is both fast and
#   stable, and clipping only slows it. At 0.9 clipping settles sooner. At 1.1 the paper is right:
#   without clipping the descent is unstable.
# - **It is the applied gradient whose norm is 1.** The gradient itself starts equally long with
#   and without clipping: clipping changes the step, not the landscape. And near the minimum the
#   applied gradient is shorter than 1.
# - **At 1.1 clipping keeps the descent bounded, but does not make it converge.** Within the dotted
#   circle each step multiplies by $-1.2$ and leads outwards; outside, each is $\eta c$ long, which
#   leaps over the circle to its other side, and back again.

# %%
leashed = descents[-1]  # the highest rate, with clipping
words.print("w1 at the last steps:", ", ".join(f"{w1:+.3f}" for w1, _ in leashed.weights[-6:]))
farthest = (leashed.learning_rate - 0.5) * leashed.clip_norm
distances = [math.hypot(*weights) for weights in leashed.weights[-6:]]
words.print(f"largest distance to 0 among them {max(distances):.3f}, bound {farthest:.3f}")

# %% [markdown]
# The descent hops around the minimum for ever, from then on never farther from it than
# $(\eta - \tfrac{1}{2}) \, c$. Clipping is a leash, not a cure: to arrive, the rate has to fall.
# That is what a scheduler is for, and why the two belong together.

# %% [markdown]
# ## 7. How the threshold was chosen
#
# Whoever tries ten thresholds and reports the best has measured little but their own patience. So a
# rule was fixed before anything was run: in a *pilot* at the constant rate 0.5, measure all norms
# without clipping anything (the threshold lies so high that not one bit changes), take the median
# norm of each run's last epoch, leave out the runs that collapsed, for the norms of a collapsed
# network say nothing, and round the median over the runs to one digit. Pascanu and his colleagues,
# too, advise to look at the average norm. The pilot has random seeds of its own, which no later run
# uses.
#
# The table: runs, how many of them collapsed, the median norm and the largest norm of those that
# trained, and the threshold.

# %%
words.table(tables.pilot_table(runs))

# %% [markdown]
# The rule makes the choice honest, not optimal. We have tried no other threshold.

# %% [markdown]
# ## 8. See it live
#
# The next cell takes from the records the first random seed whose network collapsed at the constant
# rate 0.5 without clipping, and prints the test accuracy after each of ten epochs, without clipping
# and with it.

# %%
by_name = {(run.experiment, run.seed): run for run in runs}
lost = [run.seed for run in runs if run.experiment == "neither" and run.outcome == "collapsed"]
for name in ("neither", "clipping"):
    run = by_name[name, lost[0]]
    accuracies = ", ".join(f"{epoch.test_acc:.3f}" for epoch in run.epochs)
    words.print(f"{name}, seed {run.seed}: {run.outcome}, test accuracies {accuracies}")

# %% [markdown]
# Now train the second of these runs yourself, for two epochs: same seed, same rate, clipped. On
# the same kind of processor and with one thread, as the records were made, you get their numbers;
# elsewhere the sums round differently, training magnifies that, and you see another draw.

# %%
train_iter, test_iter = lrs.load_fashion_mnist(batch_size=256, seed=lost[0])
net = lrs.fast_lenet()
net.initialize(ctx=ctx)
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": HIGH_RATE})
mx.random.seed(lost[0])
history = lrs.train(net, train_iter, test_iter, 2, loss, trainer, ctx, clip_norm=CLIP_NORM)

# %%
for number, epoch in enumerate(history.epochs, start=1):
    norms = f"median norm {epoch.norm_median:.2f}, largest {epoch.norm_max:.2f}"
    words.print(f"epoch {number}: {epoch.clipped:.0%} of the updates clipped, {norms}")

# %% [markdown]
# Nearly every update of the first epoch is clipped. Is that an accident of this seed? The records
# have all seeds: first the share of clipped updates, epoch by epoch, in the median over the seeds;
# then the table with the share over the whole run, what clipping kept of the steps (the mean of
# $\min(1, c / \lVert g \rVert)$, where it was recorded), the median and the largest norm before
# clipping, and how many updates were skipped because they were not finite. (*both* and
# *pilot-clipped* are introduced in section 9, *rate-0.3-clipped* in section 11.)

# %%
for name in ("clipping", "both"):
    by_epoch = zip(*(run.epochs for run in runs if run.experiment == name))
    shares = [median(epoch.clipped for epoch in epochs) for epochs in by_epoch]
    shown = (f"{share:.0%}" for share in shares)
    words.print(f"{name}, clipped in epochs 1 to {len(shares)}:", *shown)
words.table(tables.clipped_table(runs))

# %% [markdown]
# This is not the picture of an airbag that opens once in a while. At the start clipping works at
# almost every update: every step has the same length $\eta c$, whatever the steepness. It is a
# speed limit, and where the gradients are long it acts like a lower learning rate, much as a warmup
# does. Later the share falls, but not to zero; with the median norm as threshold, that is how the
# rule wants it.
#
# The paper says that clipping loses the gradient's magnitude (its section 5.1). Here one sees what
# that means. Of a clipped gradient only the direction is left. Without clipping the steps shrink by
# themselves where the ground becomes flat, near a minimum; with clipping they do not, until the
# norm is below $c$. What is lost is the news that the minimum is near. Whether that costs anything,
# the next sections ask.

# %% [markdown]
# ## 9. Four combinations
#
# The paper ranks four procedures in words: neither, clipping only, a scheduler only, both. We
# trained LeNet on Fashion-MNIST in all four, ten epochs each, with the same 40 seeds; the constant
# rate is 0.5, the schedule a warmup to 0.5 over the first tenth of all updates, then a cosine down
# to 0. A fifth arm is ours, *lower-rate*: the constant rate 0.44, lower than 0.5 by just what
# clipping takes from the steps on average. (Ten runs of *clipping* with other seeds,
# *pilot-clipped*, measured that beforehand.) It is to show what clipping does that a lower rate
# does not.
#
# ### The paper's schedules
#
# The paper writes three formulas (its section 3.2), in which $t$ and $T$ count *epochs*: a warmup
# over $T_{\text{warm}}$ epochs, a cosine and a straight line,
#
# $$\eta_t = \eta_{\max} \frac{t}{T_{\text{warm}}}, \qquad
# \eta_t = \eta_{\min} + \frac{\eta_{\max} - \eta_{\min}}{2}
# \left(1 + \cos\frac{\pi t}{T}\right), \qquad
# \eta_t = \eta_{\max}\left(1 - \frac{t}{T}\right).$$
#
# Two things are left open. *How often is $t$ read?* Once an epoch, the warmup begins with a whole
# epoch at $t = 0$, that is at rate 0. We read it at every update. *What does $t$ count after the
# warmup?* If it simply goes on, the cosine does not begin at its peak, and the rate leaps down
# where the two meet. So the second schedule has to count from the end of the warmup, and its $T$ is
# what is left of the run. `lrs.WarmupScheduler` does just that, before any schedule:

# %%
per_epoch = lrs.data.UPDATES_PER_EPOCH
peak, total = HIGH_RATE, 10 * per_epoch
linear = lrs.LinearScheduler(total - per_epoch, base_lr=peak, final_lr=0)
cosine = lrs.CosineScheduler(total - per_epoch, base_lr=peak, final_lr=0)
axes = d2l.plt.subplots(figsize=(4.5, 2.5))[1]
for name, schedule in (("linear", linear), ("cosine", cosine)):
    warm = lrs.WarmupScheduler(schedule, warmup_steps=per_epoch)
    axes.plot(range(total), [warm(n) for n in range(total)], label=f"warmup, then {name}")
axes.set(xlabel="update", ylabel="learning rate")
axes.legend()
words.figure(axes.figure)

# %% [markdown]
# The arms *scheduler* and *both* have the cosine; nobody has trained with the straight line here.
#
# ### What is measured
#
# *Stability*, *convergence* and *effectiveness* cannot be tested as long as they are only words.
# These measures stand for them; the paper does not say how it measured, so the definitions are
# ours. Survival and roughness stand for stability, epochs to 0.85 and final loss for convergence,
# test accuracy for effectiveness. A run either survives or not; every other number is of runs that
# did, for a mean over networks that work and networks that guess describes neither.

# %%
rows = [(m.name, m.definition, m.better) for m in MEASURES.values()]
words.table(pd.DataFrame(rows, columns=["measure", "definition", "better"]))

# %% [markdown]
# Every curve below is one run: above the training loss, averaged over 50 batches, below the test
# accuracy after each epoch. Dashed runs collapsed; a loss that runs away leaves the picture. (A few
# solid curves begin as the dashed ones do: a collapsed network may recover.)

# %%
words.figure(figures.arms(runs))

# %% [markdown]
# The table puts the paper's words (in brackets as printed) beside our measures. *Survived* comes
# with the exact 95 % interval of the share, the test accuracy with its standard deviation.

# %%
words.table(tables.arm_table(runs))

# %% [markdown]
# In the rows in which runs collapsed, remember that the means are of those that survived. And look
# behind the means once more: for every arm and measure the least, the value below which a quarter
# of the runs lie, the median, the value above which a quarter lie, and the most, again of the runs
# that survived.

# %%
measured = measure(runs)
rows = [
    (arm, name, *(f"{value:.3f}" for value in of[name].quantile([0, 0.25, 0.5, 0.75, 1])))
    for arm, of in frames.of_each(measured, ARMS).items()
    for name in ("test accuracy", "roughness")
]
header = ("arm", "measure", "least", "a quarter below", "median", "a quarter above", "most")
words.table(pd.DataFrame(rows, columns=header))

# %% [markdown]
# The scheduler's high mean roughness comes from about a quarter of its runs, whose loss leapt up
# and came down again (find them in the figure). With clipping added, no seed had such a leap. By
# its median the schedule looks no rougher than *neither*, *clipping* and *lower-rate*; *both* is
# smoother. The measure was fixed beforehand, so these runs stay in; but now you know what the mean
# is made of.

# %% [markdown]
# ## 10. The paper's claims, judged
#
# Each claim says that one arm is better than another, and gets one of three verdicts.
#
# - **CONFIRMED**: the arms differ, and as claimed.
# - **CONTRADICTED**: they differ the other way.
# - **NOT DECIDED**: these runs do not show a difference. That is no proof that there is none.
#
# **Counts.** Who survives is counted in each arm, and Fisher's exact test asks how surprising two
# such counts are if the arms are alike. It makes no use of the seeds.
#
# **The sign-flip test.** All other measures are compared between two runs of the same seed, same
# initial parameters and same order of batches, where both survived. If the two arms were alike,
# each pair's difference could as well have had the other sign. So we flip signs at random, very
# often, and the p-value is the share of flips whose mean lies as far from 0 as ours. The 95 %
# interval is this test's: it holds all differences that the test would not refute. Mind that an arm
# that collapses more is so compared by its survivors, perhaps its better runs.
#
# **Better than each.** The paper's last claim, that both together are most effective, is three
# claims: better than neither, than clipping and than the scheduler. It is as strong as the weakest
# of the three, and that is what the table shows.
#
# **Holm's correction.** Ask often enough and chance will say yes; so the smallest of $m$ p-values
# is multiplied by $m$, the next by $m - 1$, and so on, and none becomes smaller than the one
# before it. What is then at most 5 % carries a verdict, with a risk of at most 5 % that even one
# CONFIRMED or CONTRADICTED is given where no arm differs.
#
# The rules were fixed when ten of the 40 seeds had been seen. The last column judges the other 30
# alone; where it differs, only it counts. With ten seeds, before, hardly anything could be decided:
# only ten pairs all on one side, $p = 2/2^{10} \approx 0.0020$, are just enough for the
# $0.05/18 \approx 0.0028$ that 18 claims ask for; nine are not.
#
# The columns: section of the paper; claim; measure; what is compared, the arm claimed better minus
# the other; number of pairs, or of runs an arm where survivors are counted; mean difference; its
# 95 % interval, not corrected for the number of claims; p-value; p-value adjusted by Holm; verdict;
# verdict of the unseen seeds. For roughness, oscillation, epochs, loss and overfitting a negative
# difference speaks for the claim.

# %%
judged = verdicts.judge(runs)
unseen = [run for run in runs if run.seed >= verdicts.UNSEEN]
by_unseen = verdicts.judge(unseen)
words.print("all seeds:", verdicts.counts(judged))
words.print("unseen seeds:", verdicts.counts(by_unseen))
words.table(tables.claim_table(judged, by_unseen))

# %% [markdown]
# What the data say, plainly:
#
# - **Clipping prevents collapse.** Of 40 runs 19 collapsed with neither, none with clipping. And of
#   the runs that survived, those with clipping reach 0.85 sooner, end with a lower training loss
#   and classify better.
# - **The paper contradicts itself.** Its section 4.2 says that clipping slows convergence, its
#   table 4.4 that it converges better than neither. These runs confirm the table, by both measures
#   of convergence.
# - **With a scheduler only, training is less stable than with clipping only;** the paper's table
#   says the reverse. 10 of its 40 runs collapsed. By roughness that is not decided.
# - **Equally effective** the paper calls these two. Of the runs that survived, the scheduler's
#   classify a little better; but it lost a quarter of its runs. One word for both hides that.
# - **Both together** are more stable than the scheduler only: none collapsed, and the loss is less
#   rough. That they classify better is not decided, and so neither is that both together are most
#   effective: look at the interval, the difference is small at best. Who has a scheduler adds
#   clipping against collapse rather than for accuracy.
# - **Late in training a scheduler lessens oscillation**: confirmed. (Look at the table of the arms:
#   with clipping only the accuracy settles, too, which the paper does not claim.) That it lessens
#   overfitting or smooths the curve is not decided.
#
# An interval may exclude 0 although the verdict is NOT DECIDED: the interval looks at one claim as
# if it were the only one; the verdict answers for all of them.

# %% [markdown]
# ### Clipping, or just a lower rate?
#
# The paper does not ask, but you should: at this rate clipping shortens more than half of all
# updates. Would a lower rate have done as well?

# %%
asked = (verdicts.judge(of, claims.ASKED) for of in (runs, unseen))
words.table(tables.claim_table(*asked))

# %% [markdown]
# By every measure clipping does more. At the lower rate 8 of 40 runs collapsed, and those that
# survived classify worse. So clipping is not a lower rate in disguise. The lower rate shortens all
# steps alike; clipping shortens the long ones, and leaves the others whole.

# %% [markdown]
# ## 11. Who collapses, and what saves them
#
# The same seed collapses without a remedy: what becomes of it with one? Colored are the seeds that
# collapse in the leftmost panel. At the chapter's constant rate 0.3, at which the run that the book
# prints collapsed, none of the 20 seeds here did, in two epochs each: of these runs there is only
# the table below.

# %%
words.figure(figures.collapse(runs))

# %% [markdown]
# How often does each experiment collapse? The columns: experiment, runs, collapsed, share, and its
# exact 95 % interval. The pilot is "neither" with other seeds and two epochs; the experiments
# named rate-0.3 have two epochs as well.

# %%
words.table(tables.share_table(runs, ["pilot", *COLLAPSE, *ARMS]))

# %% [markdown]
# And with a remedy: experiment without it, with it, after how many epochs, how many had collapsed
# without and with it, the p-value of Fisher's exact test, and that adjusted for all rows. After two
# epochs the runs of *pilot* count as *neither*, and those of *pilot-clipped* as *clipping*, for so
# they were trained, with other seeds.

# %%
words.table(tables.prevented_table(verdicts.prevented(runs)))

# %% [markdown]
# At 0.5 no run with clipping collapsed, alone or with the scheduler, and that is decided, after two
# epochs as well as at the end. The scheduler alone and the lower rate lost fewer runs than neither;
# 40 runs an arm do not decide whether they prevent anything. Nor is it a matter of the seed: of the
# 10 seeds that collapsed with the scheduler, six collapsed with neither, about as many as chance
# would have it. At 0.3 these 20 seeds had nothing to lose in two epochs: the collapse that the book
# prints, which does happen, did not come back here, neither with a remedy nor without one. Zero
# collapsed runs do not mean that it never happens: the upper end of the interval says what share is
# still possible.

# %% [markdown]
# ## 12. What remains open
#
# - **Clipping on top of a schedule.** It saves runs. Whether it adds accuracy to those that
#   survive, 40 seeds do not tell; if so, it is little.
# - **Overfitting and smoothness.** That a scheduler lessens the one and improves the other was not
#   decidable here: without a scheduler too many runs collapsed. At a lower rate, where none
#   collapses, the question could be asked properly.
# - **Why clipping saves.** Not because it lowers the rate on average. Because it stops the rare
#   huge step, or because it shortens nearly all steps at the start? A rate that is lower at the
#   start only would tell more; the scheduler's warmup is one, and with it runs still collapsed.
# - **Other thresholds, other networks.** We have one threshold, one rate, LeNet and ten epochs.
#   The paper thinks the methods unsuited to small models (its section 5.3). LeNet is small, and
#   both helped it at this rate; about large models our runs say nothing.
# - **Theory.** Zhang and colleagues (2020) prove that, on functions whose curvature may grow with
#   the gradient's norm, clipped gradient descent can be faster than gradient descent with any
#   fixed rate. Whether LeNet's loss is of this kind we have not measured. The two weights are too
#   simple for it: their curvature is the same everywhere.

# %% [markdown]
# ## 13. To think about

# %% [markdown] tags=["question"]
# 1. In the two-weight problem at 0.9 clipping settles sooner. Why does it help to take *shorter*
#    steps there? For which thresholds would it lose again?
# 2. Multiply the loss by 10. How do the steps of plain SGD change, and how those of SGD whose
#    every update is clipped?
# 3. You halve the batch size. Do the mean gradients get longer or shorter, and would you keep the
#    threshold?
# 4. If no run with a remedy collapses, how many of 40 without it must collapse before the survival
#    claim passes Holm as the smallest p-value of section 10? (`scipy.stats.fisher_exact` helps.)
# 5. Which test could *confirm* that two arms are equally effective, and what would the paper have
#    to tell you first?
# 6. SGD with momentum: `nonfinite="skip"` makes the gradient zero. Why do the parameters move all
#    the same?
# 7. Set `CLIP_NORM` in the live cell to ten times its value, then to a tenth. Predict the share of
#    clipped updates first.

# %% [markdown] tags=["answer"]
# **Answers 1 to 7.**
#
# 1. Without clipping each step jumps across the minimum, to 0.8 times the distance on the other
#    side. A clipped step leads straight towards it. It is shorter, but nothing of it is wasted. For
#    a threshold so low that the way takes more clipped steps than the jumps would have taken,
#    clipping loses.
# 2. Plain SGD: ten times as long, as with ten times the rate. Clipped: not at all, for only the
#    direction is left.
# 3. Longer on average, for their noise is larger. The rule of the notebook, the median norm, would
#    raise the threshold. Who keeps it clips more.
# 4. Nine. With nine of 40 against none p = 0.0024, with eight 0.0053; the smallest of 18 p-values
#    must be at most 0.05 / 18 = 0.0028.
# 5. A test of equivalence: two one-sided tests that the difference is above -d and below d. The
#    paper would have to say first which difference d it still calls equal.
# 6. The velocity is not zero: it is multiplied by the momentum and goes on moving the parameters.
# 7. Ten times: hardly any update is clipped, but for the longest at the beginning. A tenth: nearly
#    all are, and each step is a tenth as long, so that little is learned in two epochs.

# %% [markdown]
# ## 14. Where next
#
# - [Learning rate scheduling](lr_scheduling_en.ipynb): what the schedules do, and what the book's
#   runs really trained.
# - [Exercises](exercises_en.ipynb) of that section, with measured answers.
#
# ## 15. Sources
#
# - *Ứng dụng Gradient Clipping và Learning Rate Scheduler trong huấn luyện mô hình học sâu* (the
#   paper on clipping, without author, year or number).
# - Pascanu, Mikolov and Bengio (2013), *On the difficulty of training recurrent neural networks*,
#   [arXiv:1211.5063](https://arxiv.org/abs/1211.5063).
# - Zhang, He, Sra and Jadbabaie (2020), *Why gradient clipping accelerates training: a theoretical
#   justification for adaptivity*, [arXiv:1905.11881](https://arxiv.org/abs/1905.11881).
# - Zhang, Lipton, Li and Smola, *Dive into Deep Learning*, section *Learning Rate Scheduling*, in
#   the [Vietnamese MXNet
#   edition](https://d2l.aivivn.com/chapter_optimization/lr-scheduler_vn.html).
# - Xiao, Rasul and Vollgraf, *Fashion-MNIST*,
#   [arXiv:1708.07747](https://arxiv.org/abs/1708.07747).
# - Holm (1979), *A simple sequentially rejective multiple test procedure*, Scandinavian Journal of
#   Statistics 6:65-70. For sign flips: Ernst (2004), *Permutation methods: a basis for exact
#   inference*, Statistical Science 19:676-685.
