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
# # Learning rate scheduling
#
# [Tiếng Việt](lr_scheduling_vi.ipynb)
#
# The book's sections before this one were about the *direction* of an update. How long should the
# step be, and how should its length change while we train? Section 11.15 of *Dive into Deep
# Learning* answers with five runs of LeNet on Fashion-MNIST. We follow it in MXNet, redraw all of
# its ten figures, and then do what a book has no room for: repeat every experiment with many random
# seeds and ask which of the printed results hold. A few answers are surprising. One of them: most
# of the book's runs were never trained with the curve that the book draws.
#
# **You will learn** to write a scheduler, a function from the number of updates to a learning rate;
# to ask what a curve's axis counts; to see why a scheduler must not remember; and to judge a
# printed result by many runs. **You need** the book's sections on LeNet and on minibatch SGD. **It
# takes** about 100 minutes with the questions; their answers are on [a page of their
# own](../teaching/answers_en.md), for afterwards.
#
# Nearly all figures and tables below are made from stored results, in seconds. Three cells train
# for real: one for sixty updates, one for two epochs, so that you can watch the plot grow, and one
# for six epochs with the *fast net*, the same network on quicker kernels, which round otherwise.
#
# In the tables *published* is what the book prints and *ours* what we measured; a network has
# *collapsed* if it gives all images the same scores (for any two test images they differ by less
# than 0.01), as we shall see soon. Three numbers between slashes are training loss, training
# accuracy and test accuracy after the last epoch.

# %%
# %matplotlib inline
# %config InlineBackend.figure_format = "retina"
import itertools
import math

import mxnet as mx
import pandas as pd
from d2l import mxnet as d2l
from IPython.display import display
from mxnet import autograd, gluon, init, lr_scheduler, npx
from mxnet.gluon import nn

import d2l_lrsched as lrs
from d2l_lrsched import drawing, stats
from d2l_lrsched.runs import ranges, record
from d2l_lrsched.studies.chapter import figures, seeds, tables
from d2l_lrsched.studies.chapter.builds import draws, measures
from d2l_lrsched.studies.chapter.builds import figures as builds_figures
from d2l_lrsched.studies.chapter.builds import tables as builds_tables
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS
from d2l_lrsched.studies.chapter.published import PRINTED, others
from d2l_lrsched.studies.chapter.verdicts import compare, counts, distinct
from d2l_lrsched.studies.choice import figures as choice_figures
from d2l_lrsched.studies.choice import tables as choice_tables
from d2l_lrsched.studies.clipping.tables import share_table
from d2l_lrsched.translation import Words

npx.set_np()
words = Words("en")

# %% [markdown]
# ## Why the learning rate matters
#
# Take the simplest problem that still says something: a quadratic with curvature $\lambda$ along
# some direction. Gradient descent multiplies that coordinate by $1 - \eta\lambda$ in every step:
#
# $$w_{t+1} = w_t - \eta\,\lambda\,w_t = (1 - \eta\lambda)\,w_t .$$
#
# From this one line we can go on to four things that matter.
#
# - **Magnitude.** With $\eta > 2/\lambda_{\max}$ the coordinate of the steepest direction grows
#   for ever: we diverge. With a small $\eta$ the flattest direction, whose factor is
#   $1 - \eta\lambda_{\min}$, hardly moves. How far apart these two demands are is the condition
#   number $\lambda_{\max}/\lambda_{\min}$.
# - **Decay.** Minibatch gradients are noisy, so a constant rate leads not to the minimum but to a
#   region around it, the wider the larger $\eta$. To shrink the region we must lower the rate.
#   Too fast is no good either: where $\sum_t \eta_t$ is finite, so is the distance we can ever
#   travel, and we may stop halfway. For convex problems $\eta_t \propto t^{-1/2}$ is the usual
#   compromise.
# - **The beginning.** Fresh parameters are random, and the gradient there knows little of where
#   we want to go. A long first step stakes the whole network on it. To *warm up* is to raise the
#   rate gradually.
# - **Cycles.** Some methods let the rate go up and down many times and average the parameters met
#   on the way [Izmailov et al., 2018]. We only mention them.

# %% [markdown]
# ## LeNet, Fashion-MNIST and the training loop
#
# The network is LeNet brought up to date: relu for sigmoid, max pooling for average pooling. It
# is small enough to train cheaply and rich enough for the learning rate to do harm. The data are
# Fashion-MNIST in minibatches of 256 images, which makes 235 updates an epoch (the last minibatch
# has 96 images). Remember the 235.

# %%
train_iter, test_iter = lrs.load_fashion_mnist(batch_size=256)
ctx = d2l.try_gpu()
net = nn.HybridSequential()
for channels, padding in ((6, 2), (16, 0)):
    net.add(
        nn.Conv2D(channels, kernel_size=5, padding=padding, activation="relu"),
        nn.MaxPool2D(pool_size=2, strides=2),
    )
for units in (120, 84):
    net.add(nn.Dense(units, activation="relu"))
net.add(nn.Dense(10))
net.hybridize()
net.initialize(init.Xavier(), ctx)
loss = gluon.loss.SoftmaxCrossEntropyLoss()
net

# %% [markdown]
# `lrs.lenet()` returns this very net. Two of the lines need a word.
#
# - `hybridize`: without it Python calls one layer after another for every minibatch. With it the
#   first minibatch leaves a graph of all operations behind, and from then on MXNet runs the graph:
#   the same numbers with less Python.
# - `init.Xavier()` draws the weights of a layer with $n_{\text{in}}$ inputs and $n_{\text{out}}$
#   outputs uniformly between $\pm\sqrt{6/(n_{\text{in}}+n_{\text{out}})}$, so that the scores
#   neither grow nor fade from layer to layer. Where training begins decides, too, how long a first
#   step may be.
#
# An update takes a minibatch $\mathcal{B}$, averages its gradients and makes a step of
# $\eta_n$ times that average:
#
# $$\theta \leftarrow \theta
# {} - \eta_n\, \frac{1}{|\mathcal{B}|} \sum_{i \in \mathcal{B}} \nabla_\theta\, \ell_i(\theta),
# \qquad n = 1, 2, 3, \ldots$$
#
# In code this is a loop of four lines, and the rest is bookkeeping. Three times twenty updates:


# %%
def train_on(batches, net, trainer):
    """Make an update with each of the batches; return their mean loss."""
    total = examples = 0
    for X, y in batches:
        X, y = X.as_in_ctx(ctx), y.as_in_ctx(ctx)
        with autograd.record():
            losses = loss(net(X), y)
        losses.backward()
        trainer.step(len(y))  # the sum of the gradients, divided by their number
        total += float(losses.sum())
        examples += len(y)
    return total / examples


trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.3})
[train_on(itertools.islice(train_iter, 20), net, trainer) for _ in range(3)]

# %% [markdown]
# The loss falls. `lrs.train` is this loop with the measurements and the plot of the book's `train`,
# to the last bit; it returns what it measured in every epoch. Runs that were made before are in
# `figures/chapter/runs.jsonl`: `baseline` has all those of 30 epochs, several of each experiment,
# and `runs` those of seed 0.

# %%
chapter = record.read("../figures/chapter/runs.jsonl")
baseline = distinct(run for run in chapter if run.num_epochs == 30)
runs = {run.experiment: run for run in baseline if run.seed == 0}
len(runs), len(baseline)

# %% [markdown]
# ## A constant rate, and a collapsed network
#
# Our first yardstick keeps $\eta = 0.3$ for all of the 30 epochs. The book tells us that the
# training accuracy goes on rising while the test accuracy levels off, and that the gap between
# them is overfitting. Yet the line printed right below that story says: loss 2.303, accuracy
# 0.100.

# %%
PRINTED["constant"], math.log(10)

# %% [markdown]
# These are not the numbers of a network that learns badly but of one that *no longer sees its
# images*. Give each of the ten classes the probability $1/10$ for every image and the loss is $-\ln
# \tfrac{1}{10} = \ln 10$; on a test set with equally many images of each class, always guessing the
# same one is right one time in ten. With relu there is a common way to get there: one step that is
# too long pushes the units to where the input of relu is negative for *every* image. There relu
# gives 0 and so does its derivative, and no gradient is left to pull them back. Where a whole layer
# is lost that way, only the biases behind it still learn, and all they can learn is how frequent
# each class is. Such a network we call *collapsed*.
#
# So the book's story is about another run. Ours, with the same settings, does not collapse:

# %%
display(words.figure(figures.training(runs["constant"])))
words.table(tables.chapter_table([runs["constant"]]))

# %% [markdown]
# This figure does fit the story: training keeps improving, the test accuracy stops, the gap is
# there to see. Is a collapse at 0.3 rare, then? One run cannot tell. We count over all of our
# seeds:

# %%
words.table(share_table(baseline, ["constant"]))

# %% [markdown]
# None of them collapsed. But look at the last column, the confidence interval of the *share*: the
# runs are so few that zero agrees with a rare accident as well as with a fairly common one. Below,
# this kind of verdict is called INCONCLUSIVE.
#
# More runs decide it. The book's notebooks were run anew for each of its builds, and 87 of the 97
# printed the result of this very run (the other ten had a rate of 0.5). And we made 1617 more runs
# on a GPU, which we call *draws*. How often did the constant rate collapse there?

# %%
drawn, builds = measures.of_draws(draws.read()), measures.of_builds()
collapses = builds_tables.collapse_table(drawn, builds)
words.table(collapses[collapses.experiment == "constant"])

# %% [markdown]
# So it does happen, of our seeds to about one network in twenty, and the number in the book is no
# misprint. Some of these networks had learned before they collapsed: at a rate that never falls, no
# network is safe at any time. (The book's *weights* are here those of seed 0, so that
# their row is part of the next; why they have one is told [below](#What-is-a-seed-made-of?). The
# last column counts those whose last collapse began after the first epoch.)

# %% [markdown] tags=["question"]
# **Question 1.** How many runs without a collapse would you need to claim that the true share is
# below 5 %? (Hint: if it is $p$, then none of $k$ runs collapses with probability $(1-p)^k$.)

# %% [markdown] tags=["answer"]
# **Answer 1.** If the share is 5 %, all of $k$ runs survive with probability $0.95^k$. That is
# below 5 % from $k = 59$ on. With ten runs one can only say that the share is below 26 % (the
# interval in the table has two sides, and so goes on to 0.308).

# %% [markdown]
# ## A scheduler
#
# The crudest way is to set the rate by hand, in the middle of training:

# %%
trainer.set_learning_rate(0.1)
trainer.learning_rate

# %% [markdown]
# That scatters the plan all over the loop. It is neater to write the plan as a **function of the
# number of updates**, from $t$ to $\eta_t$, and to hand it to the Trainer. Such a function is a
# scheduler. The first one falls with the square root:
#
# $$\eta_t = \eta_0\,(t+1)^{-1/2}.$$
#
# This is the book's plot, with $\eta_0 = 1$ and $t = 0, 1, \ldots, 29$:


# %%
def square_root(num_update):
    return 1.0 * (num_update + 1.0) ** -0.5


print([square_root(t) for t in (0, 3, 15)])
words.figure(figures.schedule(runs["square-root"]))

# %% [markdown]
# Two lines are a scheduler. (`lrs.SquareRootScheduler(lr=1.0)` is the same function; it also checks
# its argument, can be printed, compared and stored.)
#
# ### What the Trainer really feeds it
#
# The plot's axis ends at 30, and we train for 30 epochs. It is easy to read $t$ as the epoch. Let
# us ask the Trainer: we give it a scheduler that does nothing but write down what it is asked,
# and make two updates.

# %%
asked = []
spy = {"lr_scheduler": lambda num_update: asked.append(num_update) or 0.1}
train_on(itertools.islice(train_iter, 2), net, gluon.Trainer(net.collect_params(), "sgd", spy))
asked

# %% [markdown]
# Two things come to light, and the rest of this notebook turns on them.
#
# 1. **The argument is the number of updates**, from 1 on, not of epochs. An epoch has 235, and 30
#    epochs have 7050.
# 2. **In every update the scheduler is called several times** with the same number: sgd updates
#    LeNet's ten arrays of parameters in groups, and each group asks.
#
# So the curve that the book's run really followed is this one (updates below, epochs above):

# %%
per_epoch = lrs.data.UPDATES_PER_EPOCH
title = "Square root, fed with updates"
words.figure(drawing.two_axes(square_root, 30 * per_epoch, per_epoch, title))

# %% [markdown]
# All that the plot before spread over 30 epochs has passed within about an eighth of the first.
#
# Now train for real. The next cell runs two epochs exactly as the book does, with seed 0, and
# draws while it runs.

# %%
train_iter, test_iter = lrs.load_fashion_mnist(batch_size=256)
net = lrs.lenet()
net.initialize(ctx=ctx)
mx.random.seed(0)
trainer = gluon.Trainer(net.collect_params(), "sgd", {"lr_scheduler": square_root})
history = lrs.train(net, train_iter, test_iter, 2, loss, trainer, ctx)

# %% [markdown]
# You have just repeated the first two epochs of the stored run. Side by side:

# %%
rows = [
    [f"{x:.4f}" for x in (new.train_loss, old.train_loss, new.test_acc, old.test_acc)]
    for new, old in zip(history.epochs, runs["square-root"].epochs)
]
header = ("train loss now", "stored", "test acc now", "stored")
words.table(pd.DataFrame(rows, columns=header))

# %% [markdown]
# On the same kind of processor and with one thread both agree to the bit; elsewhere sums are taken
# in another order and the numbers drift apart. (`square_root` is a *pure function*: the same number
# gives the same rate, however often it is called. So we plotted it, called it and trained with it,
# and no harm was done. Do not take that for granted.)
#
# And these are all of the 30 epochs:

# %%
display(words.figure(figures.training(runs["square-root"])))
words.table(tables.chapter_table([runs["square-root"]]))

# %% [markdown]
# The book comments: slightly better, a smoother curve, less overfitting. Against the collapsed
# 0.100 printed above, 0.882 is not "slightly" better, so the comment must be about a run that
# trained. We compare with such runs, too: in how many of our ten seeds does the constant rate reach
# the higher test accuracy, and in how many has it the wider gap between training and test?

# %%
final = {(run.experiment, run.seed): run.final for run in baseline}
pairs = [(final["constant", seed], final["square-root", seed]) for seed in range(10)]
higher = sum(a.test_acc > b.test_acc for a, b in pairs)
wider = sum(a.train_acc - a.test_acc > b.train_acc - b.test_acc for a, b in pairs)
words.print(
    f"constant: higher test accuracy in {higher}, wider gap in {wider} of {len(pairs)} seeds"
)

# %% [markdown]
# Less overfitting: yes, in every seed. Better: the other way round. The gap is narrower because
# the *training* accuracy is lower, not because the test accuracy is higher. At rates as small as
# those above the square root has simply not learned as much. "Overfits less" and "is better" are
# two different things, and a table should show both.
#
# Why less overfitting? The book wonders whether small steps leave the parameters nearer to zero,
# and so the network simpler. That can be measured: the norm of all parameters, before training and
# after each of two epochs, at three constant rates.


# %%
def norm(net):
    return float(lrs.global_norm([p.data(ctx) for p in net.collect_params().values()]))


rows = []
for rate in (0.3, 0.1, 0.01):
    fast = lrs.fast_lenet()
    fast.initialize(init.Xavier(), ctx)
    fast(next(iter(test_iter))[0].as_in_ctx(ctx))  # the weights are drawn at the first minibatch
    trainer = gluon.Trainer(fast.collect_params(), "sgd", {"learning_rate": rate})
    norms = [norm(fast)]
    for _ in range(2):
        train_on(train_iter, fast, trainer)
        norms.append(norm(fast))
    rows.append((f"{rate:g}", *(f"{x:.2f}" for x in norms)))
header = ("learning rate", "at first", "after 1 epoch", "after 2 epochs")
words.table(pd.DataFrame(rows, columns=header))

# %% [markdown]
# All of them grow, and the smaller the rate, the less. So small steps do leave the parameters
# smaller: but not nearer to zero than they began; their norm only grows less. (How far they have
# moved from where they began, the norm does not tell.) That this is *why* it overfits less is not
# shown: after two epochs at 0.01 the network has also learned less. (The book itself doubts that it
# explains all: nobody stops early here, the rate only falls.)

# %% [markdown]
# ## Policies
#
# ### Factor
#
# Instead of a power, multiply the rate by a factor $\alpha \in (0, 1)$ in every step, with a
# floor so that it does not go to zero:
#
# $$\eta_{t+1} = \max(\eta_{\min},\ \alpha\,\eta_t).$$
#
# The book plots this scheduler, with $\alpha = 0.9$ and $\eta_{\min} = 0.01$ and beginning from
# 2.0, but never trains with it. Its code multiplies before it answers, so that the first value is
# already 1.8:

# %%
words.figure(figures.factor())

# %% [markdown]
# Just as well. The formula is a recurrence, and whoever writes it down as it stands gets a class
# that *remembers* its rate and multiplies once more whenever it is called. So does the book's; ours
# is below. For a plot, with one call for each $t$, that is fine. But we have just seen a Trainer
# call several times an update.
#
# `lrs.FactorScheduler` has the closed form of the same values, $\eta_t = \max(\eta_{\min},\
# \eta_{\text{base}}\,\alpha^{t+1})$ with $\eta_{\text{base}} = 2$, which depends on $t$ alone.
# MXNet's own `FactorScheduler` remembers, too, but it goes by the number: once for every `step`
# updates that have passed. All three, on the very questions that we recorded:


# %%
class Remembering:
    """The recurrence as it stands: one factor more at every call."""

    def __init__(self, factor, floor, rate):
        self.factor, self.floor, self.rate = factor, floor, rate

    def __call__(self, num_update):
        self.rate = max(self.floor, self.factor * self.rate)
        return self.rate


settings = {"factor": 0.9, "stop_factor_lr": 1e-2, "base_lr": 2.0}
schedulers = {
    "closed form": lrs.FactorScheduler(**settings),
    "Remembering": Remembering(factor=0.9, floor=1e-2, rate=2.0),
    "MXNet's": lr_scheduler.FactorScheduler(step=1, **settings),
}
answers = {name: [f"{scheduler(n):.3f}" for n in asked] for name, scheduler in schedulers.items()}
words.table(pd.DataFrame({"num_update": asked, **answers}))

# %% [markdown]
# The class with a memory gives the groups of parameters different rates within *one and the same
# update*, and reaches the floor several times sooner than meant. Merely printing
# `trainer.learning_rate` takes it down another notch. MXNet's does not mind being asked often. It
# is two factors higher than the closed form, for it has not yet multiplied at the first update,
# where the closed form with $t = 1$ has done so twice. The lesson: a scheduler has to be a pure
# function of the number of updates.
#
# ### Multi-factor
#
# An old habit with deep networks: keep the rate until learning stalls, then cut it. With a set
# $s$ of times, here $s = \{15, 30\}$, and $\alpha = 0.5$:
#
# $$\eta_{t+1} = \alpha\,\eta_t \quad \text{for } t \in s, \qquad
# \eta_{t+1} = \eta_t \quad \text{for } t \notin s.$$
#
# The idea: at a given rate the distribution of the weights settles down; from then on long steps
# gain nothing, and shorter ones may find a lower place.

# %%
words.figure(figures.schedule(runs["multi-factor"]))

# %% [markdown]
# The book draws this with MXNet's `MultiFactorScheduler` and then hands *the object just plotted*
# to the Trainer. That class has a state: it remembers which steps it has passed and never goes
# back. Plot, then train, with MXNet's class and with ours of the same name:

# %%
steps = {"step": [15, 30], "factor": 0.5, "base_lr": 0.5}
header = ["class from", "plotted at 1", *(f"fed {n}" for n in (1, 30, 31, 7050))]
rows = []
for make in (lr_scheduler.MultiFactorScheduler, lrs.MultiFactorScheduler):
    scheduler = make(**steps)
    plotted = [scheduler(t) for t in range(30)]
    fed = [scheduler(n) for n in (1, 30, 31, 7050)]
    rows.append([make.__module__.split(".")[0], *map(str, [plotted[1], *fed])])
words.table(pd.DataFrame(rows, columns=header))

# %% [markdown]
# MXNet's starts training at 0.25: drawing the figure has used up the step at 15. Pure or not,
# after update 30 both stay at 0.125 to the end. In other words, the book's "multi-factor" run,
# the best that it prints, is a run at a constant 0.125, but for the first 30 of 7050 updates.

# %%
display(words.figure(figures.training(runs["multi-factor"])))
words.table(tables.chapter_table([runs["multi-factor"]]))

# %% [markdown] tags=["question"]
# **Question 2.** The book says that the solution is slightly better because the rate is cut once
# learning has stalled. Is there such a moment in the book's multi-factor run? What would `step`
# have to be?

# %% [markdown] tags=["answer"]
# **Answer 2.** No. The rate is cut for the last time right after update 30, within the first epoch,
# when the loss still falls steeply. For cuts after 15 and 30 epochs `step` has to be $15 \times 235
# = 3525$ and $30 \times 235 = 7050$; the second comes too late to do anything.

# %% [markdown]
# ### Cosine
#
# Loshchilov and Hutter [2016] propose a curve that is in no hurry at first and, at the end,
# lingers at very small rates to polish the solution. For $t \in [0, T]$:
#
# $$\eta_t = \eta_T + \frac{\eta_0 - \eta_T}{2}\left(1 + \cos\frac{\pi t}{T}\right),$$
#
# and $\eta_t = \eta_T$ for $t > T$. The book takes $\eta_0 = 0.5$, $\eta_T = 0.01$, $T = 20$:

# %%
words.figure(figures.schedule(runs["cosine"]))

# %% [markdown]
# By now you know what to ask: 20 of *what*? MXNet counts updates, so the whole cosine fits into
# less than a tenth of the first epoch. Here is that epoch, enlarged; the 29 after it are a flat
# line at 0.01.

# %%
cosine = {"max_update": 20, "base_lr": 0.5, "final_lr": 0.01}
cosine_scheduler = lrs.CosineScheduler(**cosine)
title = "Cosine, fed with updates"
words.figure(drawing.two_axes(cosine_scheduler, per_epoch, per_epoch, title))

# %%
display(words.figure(figures.training(runs["cosine"])))
words.table(tables.chapter_table([runs["cosine"]]))

# %% [markdown]
# The network learns far more slowly than in the three runs before. The book concludes that a cosine
# is not guaranteed to help. That may be so, but this run says nothing about cosines: it is about a
# rate of 0.01.
#
# ### Warmup
#
# If long steps are dangerous at the beginning and short ones slow for ever, begin short and grow:
# linearly over the first $W$ updates, and only then by the main plan. MXNet counts the warmup
# *within* $T$:
#
# $$\eta_t = \begin{cases}
# \eta_{\text{begin}} + (\eta_0 - \eta_{\text{begin}})\,\dfrac{t}{W}, & t < W, \\[2ex]
# \eta_T + \dfrac{\eta_0 - \eta_T}{2}\left(1 + \cos\dfrac{\pi (t - W)}{T - W}\right),
# & W \le t \le T.
# \end{cases}$$
#
# The book has $W = 5$ and $\eta_{\text{begin}} = 0$:

# %%
display(words.figure(figures.schedule(runs["cosine-warmup"])))
display(words.figure(figures.training(runs["cosine-warmup"])))
words.table(tables.chapter_table([runs["cosine-warmup"]]))

# %% [markdown]
# The book asks us to look at the first 5 epochs: the network is said to converge better
# initially. But what was warmed up are 5 *updates*, not 5 epochs, and after update 20 both cosine
# runs have the same rate of 0.01. If such a warmup helped, the first epoch should show it. In how
# many seeds is the loss of that epoch lower with warmup?

# %%
first = {(run.experiment, run.seed): run.epochs[0].train_loss for run in baseline}
lower = [first["cosine-warmup", seed] < first["cosine", seed] for seed in range(10)]
words.print(f"lower with warmup in {sum(lower)} of {len(lower)} seeds")

# %% [markdown]
# That is no better than a coin toss. One run always has a winner; only many runs tell what it won
# by.
#
# A warmup can stand before any scheduler, not only before a cosine:
# `lrs.WarmupScheduler(scheduler, warmup_steps)`. Gotmare et al. [2018] study why it helps very
# deep networks: it limits how much the weights of the deep layers, those near the output, change.
#
# ## As published and as intended
#
# So every schedule has two readings. *As published*: the Trainer feeds it updates, as in the book's
# five runs. *As intended*: it is read once an epoch, at $t = 0, 1, \ldots, 29$, as the book's text
# and plots mean it. The latter takes one wrapper:

# %%
warm = lrs.PerEpoch(lrs.CosineScheduler(**cosine, warmup_steps=5), per_epoch)
title = "Cosine with warmup, read once an epoch"
words.figure(drawing.two_axes(warm, 30 * per_epoch, per_epoch, title))

# %% [markdown]
# The book's PyTorch edition reads its schedules in the second way: it calls the scheduler after
# every *epoch*. Its notebooks were stored for 50 builds, with these results:

# %%
lines = [
    (each.framework, name, result.train_loss, result.test_acc)
    for each in others()
    for name, result in each.results.items()
]
printed = pd.DataFrame(lines, columns=["edition", "schedule", "train loss", "test acc"])
of_pytorch = printed[printed.edition == "PyTorch"].groupby("schedule", sort=False)
words.table(of_pytorch[["train loss", "test acc"]].agg(stats.mean_sd).reset_index())

# %% [markdown]
# There the two cosines are the best of the five, at a test accuracy of 0.90, where the MXNet
# edition prints 0.85: nearly the same text, curves of the same shape, another reading. (Its cosines
# begin at 0.3 and not at 0.5, and PyTorch draws its weights otherwise; none of its builds
# collapsed. So these numbers are not to be mixed with ours.) A schedule of ours, read once an
# update, goes into PyTorch like this:
#
# ```python
# optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
# scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: schedule(n + 1))
# ```
#
# and `scheduler.step()` after each `optimizer.step()`. The 1 is there because PyTorch counts from 0
# and MXNet from 1.
#
# The next figure has all of the nine runs (seed 0). On the left the rate of every update, both axes
# logarithmic: solid as published, dashed as intended. See how far apart two curves of one name can
# be. (Read once an epoch, the warmup spends the whole first epoch at rate 0, for which a
# logarithmic axis has no place: its dashed line begins with the second.) On the right the test
# accuracy of the networks that did not collapse; circles are what the book prints.

# %%
display(words.figure(figures.overview(runs.values())))
words.table(tables.chapter_table(runs.values()))

# %% [markdown]
# Three of the four runs *as intended* have collapsed! Before we ask why, one more question about
# the five that were printed.
#
# ## Do the printed numbers agree?
#
# A printed number is the result of *one* run, and results move with the seed. So do not ask
# whether it equals ours but: **if we made one more run, might it come out there?** From $n$ runs
# with mean $\bar x$ and standard deviation $s$, the prediction interval of one new run is
#
# $$\bar x \pm t_{1-\alpha/2,\,\nu}\; s\,\sqrt{1 + \tfrac{1}{n}},$$
#
# where $t$ is a quantile of Student's distribution, $\nu$ are the degrees of freedom of $s$, and
# $\alpha$ is 5 % divided by the number of comparisons. Where the experiments' spreads are alike,
# $s$ is pooled over them. A collapse is not an outlier but another thing altogether: collapsed runs
# stay out of the interval, and whether a run collapses (its outcome) is compared as a share, whose
# interval is wider than the 95 % one above, again because $\alpha$ is divided. Each number gets one
# of three verdicts:
#
# - **DIFFERENT**: outside the interval.
# - **CONSISTENT**: inside, and the interval is narrow enough for that to mean something.
# - **INCONCLUSIVE**: inside, but of an interval so wide that it would hold nearly anything. Wide
#   means wider than the distance between the book's best and worst run that did not collapse (the
#   margin).
#
# Of an outcome the table has the share of our runs that ended as the book's did. There CONSISTENT
# means that all of its interval is above 0.05, DIFFERENT that all of it is below, INCONCLUSIVE that
# 0.05 is inside.

# %%
verdicts = compare(baseline)
words.print(counts(verdicts))
words.figure(seeds.baseline(baseline))

# %%
words.table(tables.verdict_table(verdicts).iloc[:, :8])

# %% [markdown]
# - **None is DIFFERENT.** Where the intervals are narrow enough to tell, the book's numbers agree
#   with ours, that is with the reading *updates*. The two cosines, read once an epoch, end far
#   below the printed training loss wherever they do not collapse: evidence for what we had inferred
#   from the code.
# - **The test accuracy is the weakest test**: all of its verdicts are INCONCLUSIVE. The interval in
#   which one more run would fall is wider than the gaps between the printed schedules. A sentence
#   like "slightly better", resting on one run a side, cannot carry what it says.
# - **The schedules are not all alike, though.** Draw one run of each, and constant, square root
#   and multi-factor are nearly always above the two cosines, which learn at 0.01 almost
#   throughout.
#
# ## What is a seed made of?
#
# A seed decides two things: the weights that training begins with, and the order of the pictures.
# The book sets no seed. Yet its 97 builds, made from 2019 to 2023, mostly agree with one another
# better than our seeds do. Why?
#
# A process in which nobody seeds MXNet always begins with the same state of MXNet's generator. And
# Gluon draws the weights on the CPU, even where it trains on a GPU. So all builds of a run begin
# with *the same weights*. Only the order differs, for NumPy's generator, which nobody seeds either,
# begins otherwise in every process. The 97 builds are one draw of the weights, measured 97 times.
#
# That means that we can draw the book's weights, too: by training its five runs one after another
# in one process, with no seed but for the order. In the next figure a point is the last epoch of a
# run that did not collapse. Black are the builds, diamonds what the chapter itself prints, blue our
# runs with the book's weights, and pink those with other weights, with a tick at the mean of each
# initialization.

# %%
words.figure(builds_figures.builds(drawn, builds))

# %% [markdown]
# Look at the training losses of the *gentler* schedules (other builds of the book begin the square
# root at 0.1, the cosines at 0.3): the builds lie in one spot, and so do ours with the same
# weights; other weights spread far.
#
# Something is left, in the test accuracies: the builds' are higher. The book was trained on the
# first release of Fashion-MNIST, which is another draw of pictures from the same collection. It is
# no longer to be had, but we can see what another draw does. Put today's 70,000 pictures together
# and split them anew, at random: these are the green points. The table says what remains of the
# builds' mean when it is explained by the book's weights and a random split together, by one of
# them, or by neither: the builds' mean minus ours. (The book's weights were not trained on other
# splits: where both explain, what the weights make out today is added.) (*weights and split* is
# what the two together predict.) Where an interval holds 0, these runs do not show that anything is
# left.

# %%
left = builds_tables.left_table(drawn, builds)
words.table(left[left.experiment.isin(["square-root", "cosine"])])

# %% [markdown]
# Weights and split together leave nothing in 14 of 15 such rows, the split alone in 7, the weights
# alone in 4 (all rows, and much more, are in [every number that the book
# printed](../figures/chapter/builds.md)). So today's test set is a little harder than a random one,
# and of the weights, of which each of the book's five runs has its own, those of the cosine reach a
# higher test accuracy in the last epoch than most others with the same orders, those of the other
# four about the same.
#
# And the order? Here is the cosine with 32 initializations, each with the same five orders:

# %%
of_order = measures.today(drawn, "cosine").groupby("order").test_acc
words.table(of_order.agg(stats.mean_sd).reset_index(name="test acc"))

# %% [markdown]
# The five means have a standard deviation of 0.012: an order moves *all* networks the same way, for
# the last batches before the test are the same for all of them. The spread within an order has two
# parts: 0.005 is what the weights do under every order, the other belongs to the single run ([the
# page of the builds](../figures/chapter/builds.md) calculates both). So runs that share an order
# are not independent either. Whoever compares two methods should use the same seeds for both, and
# many.

# %% [markdown] tags=["question"]
# **Question 3.** 7 of 87 builds collapsed at the constant rate. Is that the share of all networks,
# or of one initialization? Which runs would tell?

# %% [markdown] tags=["answer"]
# **Answer 3.** Of one initialization: all builds of a run begin with the same weights. Runs with
# other weights tell about all networks, and those with the book's weights and other orders about
# this one; the notebook has both.

# %% [markdown]
# Back to our seeds. Mean and standard deviation of those that did not collapse; *late oscillation*
# is how much the test accuracy of one run still moves: its standard deviation over the last five
# epochs.

# %%
words.table(tables.summary_table(baseline))

# %% [markdown]
# Look at the last column. As published, the test accuracy of a run varies by about 0.01 over its
# last epochs (under the square root by half of it), nearly as much as the runs differ from one
# another: what a run ends with is largely the luck of its last epoch. Under both cosines read once
# an epoch it hardly moves at all. All four cosines end at a rate of 0.01; but two have come down to
# it after learning at 0.5, and two have been there almost from the beginning. So this is what a
# falling rate does at the end of a training: it lets the network settle. In a picture, for seed 1:

# %%
last = {
    run.experiment: [epoch.test_acc for epoch in run.epochs[19:]]
    for run in baseline
    if run.seed == 1 and run.experiment in ("constant", "cosine", "cosine-warmup-per-epoch")
}
axes = pd.DataFrame(last, index=range(20, 31)).plot(
    xlabel="epoch", ylabel="test acc", figsize=(4.5, 2.5)
)
axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
words.figure(axes.figure)

# %% [markdown]
# ## Equal training loss, unequal test accuracy
#
# The book's summary says that schedules can lead to different generalization at the same training
# error. Our draws show it. Here are those of three schedules that end at nearly the same training
# loss, a point a run that trained:

# %%
alike = ("constant", "multi-factor-per-epoch", "cosine-warmup-per-epoch")
trained = drawn[drawn.trained & drawn.split.isna() & drawn.experiment.isin(alike)]
axes = d2l.plt.subplots(figsize=(4.5, 3))[1]
for name, of in trained.groupby("experiment"):
    axes.plot(of.train_loss, of.test_acc, "o", markersize=3, alpha=0.5, label=name)
axes.set(xlabel="train loss", ylabel="test acc")
axes.legend()
display(words.figure(axes.figure))
means = trained.groupby("experiment")[["train_loss", "test_acc"]].agg(stats.mean_sd)
words.table(means.reset_index().rename(columns=tables.words))

# %% [markdown]
# All three fit the training images equally well, with a mean loss of about 0.15. Yet the test
# accuracy is 0.878 at the constant rate and under the steps, and 0.903 under the cosine with a
# warmup; its worst run, at 0.892, still lies above nearly nine in ten runs of the others. They
# differ in more, but also in the rate at the end: 0.3, 0.25 and 0.01. So it is not enough to ask
# how far a training got; how it came to rest may matter, too.
#
# ## Why networks collapse
#
# Four of the nine experiments read their schedules once an epoch. The collapses by themselves:

# %%
words.table(share_table(baseline, EXPERIMENTS))

# %% [markdown]
# As published, none of these networks collapsed. As intended many did. The difference is in how
# they begin. Fed updates, the high rates last for a few steps only. Read once an epoch, a fresh
# network has to bear *all 235 updates* at 1.0 or at 0.5, and for many that is too much. The next
# two runs have the same seed and the same settings, but that the second begins with five epochs of
# warmup, after which its cosine is the shorter:

# %%
display(words.figure(figures.training(runs["cosine-per-epoch"])))
display(words.figure(figures.training(runs["cosine-warmup-per-epoch"])))

# %% [markdown]
# The first is typical of a collapsed network: its loss stays at $\ln 10$. The second trains, and
# ends above all of the cosines as published. (It is flat in the first epoch because the warmup
# begins at 0: that whole epoch passes at a rate of 0. In the fourth epoch its loss leaps up once,
# with none of the other seeds.) Is this at last what the book wanted to show about warmup? One pair
# proves nothing. In the runs of the table above the cosine with a warmup never collapsed, but they
# are few. Among the draws (*ours, seeds* below) there are 30 of each. *After epoch 1* counts those
# whose last collapse began only then:

# %%
intended = [name for name in EXPERIMENTS if name.endswith("per-epoch")]
words.table(collapses[collapses.experiment.isin(intended)])

# %% [markdown]
# With the warmup nearly as many collapsed as without; only later, after having learned. The
# warmup carries a network past its first steps. Then the rate is at 0.5, its peak, and for many
# networks that is too high at any time. (Lower peaks are in the [exercises](exercises_en.ipynb).)
#
# Can a collapsed network recover? As a rule it does not. But among the draws nine did, most of them
# after a few epochs; this one took longest:

# %%
(recovered,) = (d for d in draws.read() if len(d.collapsed) == 17 and d.collapsed[-1] == 17)
print(recovered.case)
curves = {"train loss": recovered.train_loss, "test acc": recovered.test_acc}
axes = pd.DataFrame(curves, index=range(1, 31)).plot(xlabel="epoch", figsize=(4.5, 2.5))
words.figure(axes.figure)

# %% [markdown]
# For more than half of the way all images get nearly the same scores (they differ by less than
# 0.01); then the network begins to learn. We have not measured why. A plausible reading is in the
# word "nearly": while a single unit still answers to a few images, a narrow gap is left for the
# gradient, and by then the rate was low enough for the network to be drawn back.

# %% [markdown] tags=["question"]
# **Questions 4 to 6.**
#
# 4. Multi-factor and cosine, read once an epoch, collapse about equally often, and mostly with the
#    same seeds. Why is that no surprise? (Compare their rates in the first epoch.)
# 5. You see a loss of 2.303 after the first epoch. Wait or stop? What else would you measure
#    before you decide?
# 6. Design a schedule whose peak is 0.5 and under which fewer networks collapse. Is a longer warmup
#    enough? How would you count whether it helps?

# %% [markdown] tags=["answer"]
# **Answers 4 to 6.**
#
# 4. In the first epoch, read once an epoch, both have the rate 0.5 at every update. With the same
#    seed the two runs are the same until then, and who collapses early does so under both.
# 5. First look at the rate: with a warmup that begins at 0 nothing has been learned in the first
#    epoch, and all is well. Else compare the scores of two images. If they are equal, the network
#    has collapsed; as a rule it does not recover. If they differ, wait. The norm of the gradient
#    and the share of relus that are 0 for all images tell the same.
# 6. No length makes a peak of 0.5 safe here: with five epochs of warmup 9 of 30 draws collapsed.
#    Good answers lower the peak soon after it is reached, or clip the gradient, and say how they
#    would count.

# %% [markdown]
# ## Which schedule should I use?
#
# So far every schedule ran at the rate that the book gave it. That is no fair comparison: a
# schedule with a rate that does not suit it looks bad. So here is another one, by rules that were
# fixed before its first run. Eleven schedules get the same ten epochs, and each has its own *peak*,
# the rate that its whole curve is scaled by.
#
# - *constant* keeps the peak. *cooldown* does so too, and over the last fifth it comes down in a
#   straight line.
# - *linear*, *cosine* and *poly* come down from the first update on: in a straight line, in half a
#   cosine, with the square of the time that is left.
# - *warmup-cosine* rises from 0 over a tenth of the run, *one-cycle* from a 25th of the peak over
#   30 % of it; then both come down in half a cosine. *restarts* is three half cosines in a row,
#   each twice as long as the one before.
# - *steps* has a tenth of the peak after half of the run and a hundredth after three quarters.
#   *plateau* has a third after each epoch whose training loss is not 10 % below the best so far.
# - *square-root* is, in update $n$, the peak divided by $\sqrt{n + 1}$; it never trains at its
#   peak.
#
# Where nothing else is said, a curve ends at a hundredth of its peak.
#
# To find the peak that suits a schedule, all of them tried the same peaks. They trained on 55,000
# of the training images and were judged by the other 5,000, held out as the *validation set*, by
# the median of five seeds. A network that was lost, collapsed or not finite, counts as 0: a median
# asks only for the order, and this makes it the last. (Whoever chooses by the test set has used it
# up: there, what was chosen looks better than it is.) All of the rules are on [the study's
# page](../figures/choice/README.md).

# %%
choice = record.read("../figures/choice/runs.jsonl")
tested = ranges.stored("../figures/choice/range-test.jsonl", seeds=5)
words.figure(choice_figures.sensitivity(choice, tested.suggestion))

# %% [markdown]
# A panel is a schedule, a point a network. A cross is a network that was lost; crosses are stacked
# at the bottom, so that only their number counts. The diamond is the peak that was chosen; the
# green bar reaches from the lowest to the highest peak that is *good*, with a median at most 0.01
# lower. What lies below 0.78 is out of sight. (The dotted line is explained below.)
#
# Leave out the square root, which is good from 0.7 on. Then all peaks that were chosen lie between
# 0.3 and 0.7, and 0.2 and 0.3 are good for every schedule. At 0.7 at least three of five networks
# are lost, but only two under *warmup-cosine* and *one-cycle*, which begin low. So good does not
# mean safe: a median allows that two of five are lost.
#
# Then each schedule trained at its peak with twenty fresh seeds, on all 60,000 images, and only
# networks at these peaks saw the test set. (*Test accuracy* is the mean ± standard deviation of
# those that trained; in the *median* a lost one counts as 0.)

# %%
words.table(choice_tables.reached(choice, "plain"))

# %% [markdown] tags=["question"]
# **Question 7.** Nothing ends higher than *cooldown*, and nothing oscillates more over its last
# five epochs. How does this go together?

# %% [markdown] tags=["answer"]
# **Answer 7.** Five epochs are half of these runs. In the last two of them the rate comes down, and
# the mean test accuracy rises from 0.868 to 0.896. The column counts this rise too; of a rate that
# stays high it counts mostly ups and downs.

# %% [markdown]
# Here each is compared with the constant rate: the accuracies in *pairs*, the seeds where both
# networks trained, and the numbers of lost ones by Fisher's test ([gradient
# clipping](gradient_clipping_en.ipynb) explains the tests). Both kinds of p-values are
# adjusted by Holm's correction; the intervals are not. *Not decided* means that these runs do not
# answer the question; it is no proof that two are equal.

# %%
words.table(choice_tables.compared(choice, "plain"))

# %% [markdown]
# Eight of the ten end with a higher test accuracy than the constant rate, *cosine* and *one-cycle*
# where they trained. The square root's is lower, *poly*'s is not decided. The highest medians have
# *cooldown*, 0.8970, and *warmup-cosine*, 0.8963, and none of these networks was lost (in tuning,
# one of five was under *warmup-cosine*). Under three others 19 of 60 were lost. In tuning *poly*
# and *cosine* had lost none of five at their 0.45, and *one-cycle* two at its 0.7, which a median
# allows.
#
# But look at what comes right before a test. 60,000 is no multiple of 256: the last batch of an
# epoch has 96 images, so that its gradient is noisier than the others, and a rate that is still
# high takes a full step along it. So the constant rate trained once more with the same seeds, but
# its very last update has the rate 0. Here all are compared with that; the first row is what this
# one update does to the constant rate. (We asked this when all other results were known, after a
# reader had made such runs.)

# %%
words.table(choice_tables.compared(choice, "skipped"))

# %% [markdown]
# The one update lowers the test accuracy in each of the twenty seeds, by 0.0103 on average. Without
# it only *cooldown*, by 0.0094, and *warmup-cosine*, by 0.0081, are decided to end higher. So much
# of what a low rate gains here is that its last step is small. (In tuning the last batch has 216
# images and may do less harm; so the peak 0.3 may not be the best for a constant rate that ends
# with 96.) Your own data have a last batch, too: know how large it is.
#
# And with the gradient clipped at 0.7 (see [gradient clipping](gradient_clipping_en.ipynb)), at the
# same peaks:

# %%
words.table(choice_tables.reached(choice, "clipped"))

# %% [markdown]
# None of the 220 clipped networks was lost, and 19 of the 220 others. Schedule by schedule, this is
# decided for *one-cycle* alone. The accuracies of *cosine* and *one-cycle* rise, and the latter's
# median, 0.8994, is now the highest. The square root's falls, perhaps because its long first steps
# are clipped. No other difference is decided (the tests are on [the study's
# page](../figures/choice/README.md)).
#
# **So which one?** For this network and ten epochs: let the rate come down in the end. With a rate
# of 0.3 that comes down over the last fifth the test accuracy is 0.0197 higher, on average, than
# with one that stays, and still 0.0094 higher than with one that leaves out the last, small batch.
# *warmup-cosine* has nearly the same median. At a peak of 0.45 or more, clip (but not the square
# root, whose accuracy falls): no clipped network was lost, though it is decided for *one-cycle*
# alone that clipping prevents it. More than
# that these runs do not say: those that come down were not tested against one another.
#
# Finding the peaks took 390 runs. Is there a shortcut? In a *range test* [Smith, 2017] the rate
# rises from update to update, here from 0.001 to 10 in one epoch, and one watches the loss. Ours
# marks where the loss begins to fall (a tenth of its fall is done) and where it turns up again (it
# is a tenth of its fall above the lowest so far, though it may go lower still). What it suggests
# lies between the last seed that begins to fall and the first that turns up: the root of the
# product of these two rates. Here are five seeds (`lrs.range_test` does it with any network):

# %%
words.print(tested)
words.figure(drawing.range_test(tested))

# %% [markdown]
# It suggests 0.044. For eight of the eleven schedules that is too low. For three it is not decided,
# because nothing was tried between 0.03, which is too low for them, too, and 0.1, which is good. It
# is known to be good for none: take the rate of a range test as one to begin with, not as a choice.

# %% [markdown]
# ## Summary
#
# - A scheduler is a function from the number of updates to a learning rate. Make it a pure one:
#   called however often, in whatever order, it gives the same values.
# - Before you trust a curve, ask what its axis counts. MXNet counts updates; the book means epochs;
#   between them is a factor of 235.
# - Never plot and then train with one object that has a state.
# - A falling rate narrows the gap of overfitting, but "overfits less" is not yet "is better".
# - A rate that has come down lets the test accuracy settle: before that, a result is partly luck.
# - A loss that is still $\ln 10$ after training, and an accuracy of 0.1, mean a collapsed network,
#   not a poor one. A rate that is too high is the usual suspect; a warmup protects the first steps,
#   and only them.
# - In the book's setting the cosine with warmup, read once an epoch as intended, is among the best,
#   where it does not collapse.
# - Compare schedules each at a peak of its own, which was chosen by images that are not the test
#   set. Here most that come down end above the constant rate, and much of that is
#   that they take the last, small batch of an epoch with a small step.
# - A seed is two seeds, of weights and of order. Runs that share one of them are not independent.
# - One run is an anecdote. Make many, and say so when they cannot decide.
#
# ## Where next
#
# - [Gradient clipping](gradient_clipping_en.ipynb): another way to train at a high rate without a
#   collapse.
# - [Exercises](exercises_en.ipynb) of this section, with measured answers.
# - `d2l-lrsched explore` opens a page in the browser where sliders move every schedule.
#
# ## Sources
#
# - A. Zhang, Z. Lipton, M. Li, A. Smola. *Dive into Deep Learning*, MXNet edition, section 11.15:
#   [in Vietnamese](https://d2l.aivivn.com/chapter_optimization/lr-scheduler_vn.html), [in
#   English](https://d2l.ai/chapter_optimization/lr-scheduler.html), there 12.11.
# - I. Loshchilov, F. Hutter (2016). *SGDR: Stochastic gradient descent with warm restarts*.
#   [arXiv:1608.03983](https://arxiv.org/abs/1608.03983)
# - L. N. Smith (2017). *Cyclical learning rates for training neural networks*.
#   [arXiv:1506.01186](https://arxiv.org/abs/1506.01186)
# - A. Gotmare, N. S. Keskar, C. Xiong, R. Socher (2018). *A closer look at deep learning
#   heuristics: learning rate restarts, warmup and distillation*.
#   [arXiv:1810.13243](https://arxiv.org/abs/1810.13243)
# - P. Izmailov, D. Podoprikhin, T. Garipov, D. Vetrov, A. G. Wilson (2018). *Averaging weights
#   leads to wider optima and better generalization*.
#   [arXiv:1803.05407](https://arxiv.org/abs/1803.05407)
# - H. Xiao, K. Rasul, R. Vollgraf (2017). *Fashion-MNIST*.
#   [arXiv:1708.07747](https://arxiv.org/abs/1708.07747)
