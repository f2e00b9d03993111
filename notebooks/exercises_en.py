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
# # The exercises, answered by experiments
#
# [Tiếng Việt](exercises_vi.ipynb)
#
# Section 11.15 of *Dive into Deep Learning* ends with five exercises, and its summary recommends a
# schedule that the section never tries. Here are answers to all six, and none is an opinion: each
# comes from recorded runs, with several random seeds, and says what so few seeds can decide and
# what they cannot. Before you read on, put the question to yourself and write down your guess. A
# guess that fails teaches more than an answer that is read. **It takes** about 90 minutes.
#
# You need the notebook on [learning rate scheduling](lr_scheduling_en.ipynb). Figures and tables
# are made from records, in seconds; one cell, in section 6, really trains, for two epochs.
# `d2l-lrsched exercises` makes all runs anew, in two hours on two cores.

# %%
# %matplotlib inline
# %config InlineBackend.figure_format = "retina"
import itertools
import pickle
from statistics import fmean

import mxnet as mx
import numpy as np
import pandas as pd
from d2l import mxnet as d2l
from IPython.display import display
from mxnet import gluon, npx

import d2l_lrsched as lrs
from d2l_lrsched.runs import frames, record
from d2l_lrsched.studies.chapter.builds import draws, measures
from d2l_lrsched.studies.chapter.builds import tables as builds_tables
from d2l_lrsched.studies.chapter.verdicts import distinct
from d2l_lrsched.studies.exercises import experiments as exercises
from d2l_lrsched.studies.exercises import figures
from d2l_lrsched.studies.exercises import page as tables
from d2l_lrsched.translation import Words

npx.set_np()
words = Words("en")
runs = record.read("../figures/exercises/runs.jsonl")
chapter = record.read("../figures/chapter/runs.jsonl")
baseline = distinct(run for run in chapter if run.num_epochs == 30)
len(runs), len(baseline)

# %% [markdown]
# ## How to read the tables
#
# Three tables come again and again. The first has a row for each experiment:
#
# - *collapsed*: of so many runs, how many ended as networks that give every image the same scores
#   (they differ by less than 0.01), or as numbers that are no longer finite. Beside it is the exact
#   95 % interval of the share, for what happened to a handful of runs says little about all.
# - *train loss* and *test accuracy*: mean ± standard deviation after the last epoch, of the runs
#   that trained.
# - *best run*: the highest test accuracy at the end of any run.
#
# A second table compares *who collapsed*: how many under the one experiment and under the other,
# the p-value of Fisher's exact test, adjusted by Holm for all of the table's rows (both are
# explained in [gradient clipping](gradient_clipping_en.ipynb)), and where it is below 0.05 under
# which fewer collapse.
#
# A third compares two experiments *seed by seed*, that is, from the same initial parameters and
# with the same order of minibatches: the mean difference in test accuracy where both runs trained,
# its 95 % interval, and which is higher if the interval excludes 0. Each interval is taken by
# itself: of twenty comparisons without any real difference, one would still be expected to exclude
# 0.
#
# The first five seeds had been looked at before the other fifteen were made. So the last column
# gives the verdict of the other fifteen alone. Where the two differ, only the last counts.

# %%
constant = [run for run in baseline if run.experiment == "constant"]


def answers(exercise):
    return words.table(tables.answers(frames.of_runs(runs), exercise))


def collapses(exercise):
    return words.table(tables.collapses(frames.of_runs(runs), exercise))


def differences(exercise):
    return words.table(tables.differences(frames.of_runs(runs), exercise))


# %% [markdown]
# ## 1. How good can a fixed rate get?
#
# The exercise: train at a fixed learning rate and find the best model that can be had this way. We
# take LeNet for 8 epochs at each of six rates, from 0.03 to 1.0, with twenty seeds. The book's rate
# of 0.3 is in the middle. Which rate would you bet on, and what happens at both ends?

# %%
words.figure(figures.FIGURES["1-fixed-rate.svg"](runs))

# %% [markdown]
# On the left the share of runs that collapsed, with its interval in gray; on the right each dot is
# a network that did not collapse, and the dash their mean.

# %%
display(answers(exercises.FIXED))
display(collapses(exercises.FIXED))
differences(exercises.FIXED)

# %% [markdown]
# - **Too small is slow.** From 0.03 to 0.3 the training loss falls. From 0.03 to 0.1 the test
#   accuracy rises with it; whether it still does from 0.1 to 0.3 is not decided. With more epochs
#   the small rates could catch up; in 8 they do not.
# - **Too large collapses.** At 0.3 none of 20 networks collapses, but 8 do at 0.5, 14 at 0.7 and 18
#   at 1.0. And those that train at 0.5 are worse than those at 0.3, seed by seed: the high rate
#   buys nothing for its risk.
# - **The edge is near.** The rate with the highest mean, 0.3 (its lead over 0.1 is not decided), is
#   the last at which none collapsed (and section 2 will show that even this is not quite safe).
#   This is why the question of a schedule comes up at all: it lets us use such rates while they
#   help.
#
# Mind the intervals. No collapse among 20 runs still allows a share of one in six! That more
# networks collapse at 0.5 than at 0.3 would be decided by all seeds together; by the fifteen new
# ones alone it is just not, and only these count. No step from 0.5 to 1.0 is decided either. That
# the share grows from one end to the other nobody will doubt.
#
# So which model is the best? The column *best run* of the first table has an answer, but it is too
# optimistic: the winner was chosen *by its test accuracy*, so luck was part of what it was chosen
# for, the luck of these very images and that of the moment, for the accuracy jumps about from epoch
# to epoch. The luck of the moment can be shown. We have ten runs at 0.3 that went on to 30 epochs.
# Compare them after 8 and after 30 epochs: the mean, the best, and the gap between training and
# test accuracy. Then take the winner after 8 epochs, and see how far it is ahead of the mean there
# and how far at the end.

# %%
early, late = ([run.epochs[n - 1] for run in constant] for n in (8, 30))
for n, epochs in ((8, early), (30, late)):
    accuracies = [epoch.test_acc for epoch in epochs]
    gap = fmean(epoch.train_acc - epoch.test_acc for epoch in epochs)
    words.print(
        f"{n:2} epochs: mean {fmean(accuracies):.4f}, best {max(accuracies):.4f}, gap {gap:.4f}"
    )
winner = max(range(len(early)), key=lambda i: early[i].test_acc)
leads = [e[winner].test_acc - fmean(x.test_acc for x in e) for e in (early, late)]
words.print("the early winner is ahead of the mean by {:+.4f}, then {:+.4f}".format(*leads))

# %% [markdown]
# - **More epochs help a little**, in most seeds. But the gap between training and test widens in
#   every one: of what is learned in addition, the larger part serves the training images only.
# - **Most of the winner's lead was luck.** On the way to the end it loses most of it. And this was
#   only the luck of the moment; that of the images, which stay the same here, comes on top.
#
# The clean way: keep some *training* images apart as a validation set, choose rate, epoch and seed
# by them, and look at the test set once, at the end.

# %% [markdown] tags=["question"]
# **Question 1.** All runs at one rate differ only in their seed. If you may train five networks and
# keep the best by a validation set, is the seed a hyperparameter like any other? What do you have
# to report then?

# %% [markdown] tags=["answer"]
# **Answer 1.** It is chosen, and so it is part of the method. Report how many seeds were tried and
# by what the best was chosen, its accuracy on the test set, looked at once, and mean and spread of
# all.

# %% [markdown]
# ## 2. The exponent of the decay
#
# How does convergence change with the exponent of the decay? MXNet's `PolyScheduler` lets the rate
# fall from $\eta_0$ to 0 at the end of the run, after $T$ updates:
#
# $$\eta_t = \eta_0 \left(1 - \frac{t}{T}\right)^p.$$
#
# With $p = 1$ it is a straight line. For $p \to 0$ the rate stays at $\eta_0$ until the very end: a
# constant rate, which is therefore our yardstick. A large $p$ cuts the rate at once and spends the
# rest of the run at tiny rates. How tiny, is a matter of calculation: the rate is below a tenth of
# $\eta_0$ for the last $0.1^{1/p}$ of the run, and the sum of all rates, the "budget" for the way,
# is $1/(p + 1)$ of the constant one's.

# %%
header = ("exponent", "share of the run below a tenth", "sum of the rates, constant = 1")
rows = [(f"{p:g}", f"{0.1 ** (1 / p):.2f}", f"{1 / (p + 1):.2f}") for p in exercises.EXPONENTS]
words.table(pd.DataFrame(rows, columns=header))

# %% [markdown]
# LeNet, 8 epochs from $\eta_0 = 0.3$, twenty seeds. Which exponent has the lowest training loss in
# the end, and which the highest test accuracy?

# %%
words.figure(figures.FIGURES["2-exponent.svg"](runs))

# %% [markdown]
# Thin lines are single runs, thick ones the means over the seeds that trained; the legend counts
# the others. The loss is averaged over fifty batches.

# %%
display(answers(exercises.EXPONENT))
differences(exercises.EXPONENT)

# %% [markdown]
# - **Too fast a fall leaves the training unfinished.** The larger the exponent, the higher the
#   training loss; with 2 and 4 it is higher than at the constant rate, 0.306 and 0.353 against
#   0.277. Look at the curves of exponent 4: they lie flat for the second half of the run. The
#   budget was spent while there was still something to learn. Its mean test accuracy is a little
#   below the constant rate's, which is not decided.
# - **A slow fall helps.** With the exponents 0.5 and 1 the test accuracy is higher than at the
#   constant rate, by 0.0198 and 0.0151 on average, and both intervals exclude 0. The training loss
#   is not what makes the difference: 0.271 and 0.281 against 0.277. At a rate that goes to 0 the
#   network comes to rest. (Part of it is the last batch of an epoch: it has 96 images, and at a
#   high rate its update costs accuracy right before the test. How much is measured, for ten epochs,
#   in [Which schedule should I use?](lr_scheduling_en.ipynb))
# - **A surprise.** Under exponent 2, 2 of 20 networks collapsed, from the first epoch on, although
#   their rate never was above 0.3. The table of differences leaves these seeds out.
#
# The run that the book prints at 0.3 has collapsed, too; none of section 1's did. How often does it
# happen? For the [notebook on the chapter](lr_scheduling_en.ipynb) many more runs at the constant
# 0.3 were made on a GPU, 30 epochs each, which it calls *draws*:

# %%
drawn = measures.of_draws(draws.read())
of_draws = builds_tables.collapse_table(drawn, measures.of_builds())
words.table(of_draws[of_draws.experiment == "constant"])

# %% [markdown]
# So 0.3 itself lies within reach of the edge: of our seeds about one network in twenty collapses
# there. That the rate falls is hardly the cause of ours: they had collapsed after 150 updates at
# the latest, when their rate had fallen by less than a sixth. What the book printed is rare, but no
# freak.

# %% [markdown] tags=["question"]
# **Question 2.** Suppose you could make the run four times as long. Which exponent would gain most?

# %% [markdown] tags=["answer"]
# **Answer 2.** The largest. It spends the least: the sum of its rates is 1 / (p + 1) of the
# constant one's, and four times the run makes all sums four times as large. Where the budget was
# short, it helps most.

# %% [markdown]
# ## 3. Cosine against other schedules, with a deeper network
#
# The exercise names ImageNet: more than a million photographs in a thousand classes. Let us be
# plain: on two cores that is out of reach, and we have *not* done it. What we can do is to take a
# network of another kind than LeNet: a small ResNet of the book's own residual blocks (He et al.,
# 2016), with batch normalization and seven convolutions in a row. The images are Fashion-MNIST's
# again, the run has 3 epochs, each schedule three seeds, and the highest rate is 0.5 for all:
#
# - *constant*: 0.5 throughout;
# - *steps*: a tenth of it after half of the run, a hundredth after three quarters;
# - *poly*: the square of the time left, $p = 2$;
# - *cosine*: half a cosine down to 0 (Loshchilov and Hutter, 2016);
# - *warmup-cosine*: a tenth of the run as warmup, then the cosine.

# %%
words.figure(figures.FIGURES["3-deeper.svg"](runs))

# %%
display(answers(exercises.DEEPER))
differences(exercises.DEEPER)

# %% [markdown]
# - **Lowering the rate pays.** With every seed the constant rate has the lowest test accuracy in
#   the end, and the interval of cosine minus constant excludes 0, with only three pairs.
# - **That it is a *cosine* hardly matters here.** It cannot be told from the steps, nor from its
#   sister with a warmup. *poly* lies a little below it; its rate is low for most of so short a run,
#   and it also ends with a higher training loss, so it may simply not have got as far.
# - **None collapsed**, at a rate at which LeNet often does. Batch normalization is the
#   obvious suspect, but we have not tried this network without it.
#
# What may be concluded? That for this network, these images and 3 epochs a rate that falls beats
# one that does not. What may not: anything about ImageNet, about a hundred epochs, or that the
# cosine is the best of schedules. Four intervals, each taken by itself, from three pairs each: the
# small lead over *poly* should see more seeds before it is believed.

# %% [markdown] tags=["question"]
# **Question 3.** The recipes of GluonCV, MXNet's library for computer vision, train ImageNet for
# about a hundred epochs, with a warmup and a cosine. Which of the five schedules of the deeper
# network would you repeat first with another data set, and why?

# %% [markdown] tags=["answer"]
# **Answer 3.** Open. The steps: if they keep up with the cosine again, it does not matter that it
# is a cosine. Or the constant rate, without which one does not know what lowering it is worth
# there.

# %% [markdown]
# ## 4. How long should a warmup be?
#
# LeNet for 4 epochs: the rate rises in a straight line from 0 to a peak, then falls along half a
# cosine to 0. The warmup takes a share of 0, 0.02, 0.1 or 0.4 of the run, and the peak is 0.5, 0.7
# or 1.0; kept constant, most networks collapsed at 0.7 in section 1, and at 1.0 nearly all. Twenty
# seeds each. In the figure the rows are warmups and the columns peaks; on the left the collapsed
# runs, on the right the mean test accuracy of those that did not. The longer the warmup, the safer?

# %%
words.figure(figures.FIGURES["4-warmup.svg"](runs))

# %%
display(answers(exercises.WARMUP))
display(collapses(exercises.WARMUP))
differences(exercises.WARMUP)

# %% [markdown]
# - **With a peak of 0.5,** 6 of 20 networks collapse without a warmup, 9 with 0.02, 3 with 0.1, and
#   2 with 0.4.
# - **With 0.7,** 15 of 20 collapse without a warmup, 17 with 0.02, 10 with 0.1, and 7 with 0.4.
# - **With 1.0** little helps: 18, 19, 18 and 14 of 20 collapse.
# - **A warmup that is too short is no help.** With 19 updates of it more networks collapse, at both
#   lower peaks, than with none. With the longest it is the fewest at every peak. None of the
#   differences in counts that the table tests is decided, though; it tests neither 0.4 against 0.02
#   nor anything at the peak 1, and to pick such pairs now, having seen them, would not be fair. Of
#   the accuracies one is: at 0.5 those with 0.1 end above those with 0.02.
# - At 0.7, after the longest warmup, one network has neither collapsed nor learned: its scores
#   differ, but it is right for one picture in six. By our definition it trained, and the mean of
#   its row shows it.
#
# Why does no length save a run whose peak is too high? Ask *how* the networks collapsed. For each
# of them, look at its training loss, averaged over fifty updates: did it ever fall below one and a
# half, so that the network had learned something, and what was the rate at the last such time (and,
# in brackets, which update)?

# %%
per_epoch = lrs.data.UPDATES_PER_EPOCH
ends = per_epoch * (np.arange(4)[:, None] + frames.WINDOW_ENDS).ravel()  # of 50 updates each
rows = []
for peak, warmup in itertools.product(exercises.PEAKS, exercises.WARMUPS):
    rate = exercises.cosine(4 * per_epoch, peak, warmup)
    ours = [run for run in runs if run.experiment == exercises.warmup_name(warmup, peak)]
    lost = [frames.window_means(run) for run in ours if run.outcome != "trained"]
    learned = [ends[: len(means)][means < 1.5].max() for means in lost if (means < 1.5).any()]
    rates = ", ".join(f"{rate(round(n)):.2f} ({n:.0f})" for n in learned) or "-"
    rows.append((f"{peak:g}", f"{warmup:g}", str(len(lost)), str(len(learned)), rates))
header = ("peak", "warmup", "collapsed", "after having learned", "the last rates before (update)")
words.table(pd.DataFrame(rows, columns=header))

# %% [markdown]
# There are two ways to collapse. With no warmup or a short one the networks collapse *early*,
# without ever having learned anything, with a single exception: steps too long for random
# parameters. After the longest warmup they collapse *late*: every one of them had learned, and
# collapsed within the fifty updates that follow those of the last column. The peak is at update
# 376, and most collapse on the way up to it. A few leave with a loss in the millions or more, most
# without any such leap. A long warmup protects from the first accident, not from the second. It
# carries the network past the start; it does not raise (or not enough) the highest rate that the
# network bears.
#
# So how long? Long enough that the network has learned something before the high rates come. At the
# two lower peaks together 26 of 40 networks collapsed early after 0.02, 13 after 0.1, and none
# after 0.4. But those that get past the start may still collapse near the peak: after 0.4 these
# were 9. And if a longer warmup does not help, lower the peak. (Gotmare et al., 2018, look inside:
# in the deep networks that they study, a warmup keeps the layers near the output from changing
# much. We have only asked who collapses.)
#
# One more look, at the edge. These two experiments have the same seeds, and their rates can hardly
# be told apart at first:

# %%
for name in ("fixed-0.5", "warmup-0-peak-0.5"):
    seeds = sorted(r.seed for r in runs if r.experiment == name and r.outcome != "trained")
    words.print(name, "lost the seeds", *seeds)
rate = exercises.cosine(4 * per_epoch, 0.5)
words.print("the latter's rate at updates 1 and 50:", *(f"{rate(n):.6f}" for n in (1, 50)))

# %% [markdown]
# 3 seeds collapse both times, but 5 collapse in the one experiment only, and 3 in the other only.
# So collapsing is no property of a seed. At the edge the smallest difference decides, training
# magnifies it, and "with the same seed" pairs the beginnings but not the ends. Nobody can look for
# a lucky seed there and take it to another schedule.

# %% [markdown] tags=["question"]
# **Question 4.** Sketch a schedule that finds its peak by itself: rising until the loss gets worse,
# and falling from then on. What would it have to be told, and why is the loss *averaged since the
# beginning of the epoch* a poor informant?

# %% [markdown] tags=["answer"]
# **Answer 4.** It has to be told the loss of the last few batches, and whether the scores still
# differ between images, for a collapsed network has the loss of a new one. An average since the
# beginning of the epoch contains the high losses before; late in the epoch a collapse hardly moves
# it.

# %% [markdown]
# ## 5. Optimization and sampling
#
# Exercise 5 asks how the two are connected. Its answer needs no network, but a problem whose
# posterior is known, and has [a notebook of its own](sampling_en.ipynb).

# %% [markdown]
# ## 6. Lower the rate when progress stops
#
# The book's summary calls it very effective: lower the rate in steps whenever progress stops, at a
# *plateau*. All schedules so far were fixed before the first update. This one has to *listen*, and
# so it is the one scheduler here with a state. `lrs.PlateauScheduler` is told a loss and asked for
# a rate. Telling changes the state, asking never does. Losses made up for the purpose, one an
# epoch; "too little progress" is less than a tenth below the best so far, and `patience` is how
# many epochs of it in a row it takes for a cut, here one:

# %%
plateau = lrs.PlateauScheduler(base_lr=0.3, factor=1 / 3, patience=1, threshold=0.1)
for epoch, made_up in enumerate([1.0, 0.6, 0.5, 0.48, 0.4, 0.39, 0.38], start=1):
    used = plateau(epoch * per_epoch)
    plateau.tell(made_up, epoch * per_epoch)
    then = plateau(epoch * per_epoch + 1)
    words.print(f"epoch {epoch}, rate {used:.4f}, loss {made_up}: then {then:.4f}")
plateau(1), plateau.drops

# %% [markdown]
# The rates of the past stay what they were: asked about update 1, it still says 0.3. That keeps the
# promise that a schedule can be plotted at any time. The state must survive an interruption, so it
# travels in a pickle (and therefore in `trainer.save_states` and in our checkpoints), and it must
# work behind a warmup, which hands the losses on:

# %%
warm = lrs.WarmupScheduler(plateau, warmup_steps=per_epoch)
copy = pickle.loads(pickle.dumps(warm))
print(copy == warm, copy is warm, [round(copy(n), 4) for n in (1, per_epoch, 9 * per_epoch)])
copy.tell(0.37, 9 * per_epoch)
print(copy == warm, copy.scheduler.drops)

# %% [markdown]
# Now live: two epochs of one of the recorded runs, with a warmup over the first epoch up to 0.5 and
# from there on lowered on a plateau. `lrs.train` tells the scheduler the training loss after each
# epoch.

# %%
(stored,) = [run for run in runs if run.experiment == "plateau-warmup" and run.seed == 0]
schedule = exercises.plateau(0.5, warmup_steps=per_epoch)
train_iter, test_iter = lrs.load_fashion_mnist(batch_size=256, seed=0)
net, ctx = lrs.nets.NETS[stored.settings["net"]](), d2l.try_gpu()
loss = gluon.loss.SoftmaxCrossEntropyLoss()
net.initialize(ctx=ctx)
mx.random.seed(0)
trainer = gluon.Trainer(net.collect_params(), "sgd", {"lr_scheduler": schedule})
history = lrs.train(net, train_iter, test_iter, 2, loss, trainer, ctx)

# %% [markdown]
# Beside it the beginning of the recorded run. The same kind of processor and one thread give the
# same numbers; elsewhere sums round differently, and you see another draw.

# %%
rows = [
    [f"{x:.4f}" for x in (new.train_loss, old.train_loss, new.test_acc, old.test_acc)]
    for new, old in zip(history.epochs, stored.epochs)
]
header = ("train loss now", "stored", "test acc now", "stored")
words.table(pd.DataFrame(rows, columns=header))

# %% [markdown]
# And all of the runs, LeNet for 8 epochs and twenty seeds: from 0.3 without a warmup, from 0.5 with
# one, and as a yardstick the constant rate 0.3 of section 1.

# %%
words.figure(figures.FIGURES["plateau.svg"](runs))

# %%
display(answers(exercises.PLATEAU))
differences(exercises.PLATEAU)

# %% [markdown]
# How often, and when, was the rate lowered? For the first three seeds the rate at the end of each
# epoch, and below it the training loss of that epoch:

# %%
for name in ("plateau", "plateau-warmup"):
    of_name = [run for run in runs if run.experiment == name and run.seed < 3]
    for run in sorted(of_name, key=lambda run: run.seed):
        rates = " ".join(f"{epoch.lr_last:.3f}" for epoch in run.epochs)
        losses = " ".join(f"{epoch.train_loss:.3f}" for epoch in run.epochs)
        words.print(f"{name}, seed {run.seed}, {run.outcome}\n  rate {rates}\n  loss {losses}")

# %% [markdown]
# - **It cuts where there is something to gain.** Follow the loss across the first cut of any run
#   that trains: in the epoch before, it fell by less than a tenth or rose; in the epoch after, by
#   more than a tenth again, at a third of the rate. The progress had not stopped because there was
#   nothing left to learn, but because the steps had become too long.
# - **Against the constant rate** 19 of 20 seeds end higher, and the interval excludes 0.
# - **With a warmup to 0.5,** 5 of 20 networks collapse, all of them around the end of the warmup
#   and having learned something before, at a rate at which 8 of 20 did in section 1. Those that
#   train end with the lowest mean training loss of all experiments in which LeNet had 8 epochs.
#   Whether their test accuracy is higher than from 0.3 is not decided. (By the first five seeds it
#   was: all five trained, and ended higher.) So few runs do not show that the warmup is why fewer
#   collapse; for those that train, the plateau gets rid of the high rate in time.
#
# Does it beat the schedules of section 2? There the exponent 0.5 came about as far without
# listening to anything; no pairs of the two have been tested. And mind what is *not* automatic
# about the scheduler: how much progress is too little, and how deep to cut, somebody has to choose.
# At these rates LeNet's loss improves by less than a tenth an epoch from the fourth epoch or so on;
# with this threshold the cuts come at much the same times in every run that trains (the loss of a
# collapsed network stands still, and so it is cut in every epoch: the thin steps on the left), and
# a list of milestones might have done as well.

# %% [markdown] tags=["question"]
# **Question 5.** `PlateauScheduler` listens to the *training* loss. What would change if it were
# told the error on a validation set? And what if `threshold` were 0?

# %% [markdown] tags=["answer"]
# **Answer 5.** The error on a validation set is noisier and stops falling earlier. The rate would
# be lowered sooner, and sometimes by chance; but it would notice overfitting. With a threshold of 0
# the training loss has to rise before the rate falls, and in these runs that happens too late or
# never.

# %% [markdown]
# ## What remains open
#
# - **Small differences.** Twenty seeds, or three, show what is coarse: that a rate is too high,
#   that one mean lies far from another. The fractions of a percent about which one argues in
#   practice ask for many more.
# - **Longer runs.** All runs here are short, and every schedule was fitted to its own short run.
#   Which of them is ahead after 30 epochs, they do not say.
# - **ImageNet**, and any other data but Fashion-MNIST.
# - **A finer edge.** At 0.3 few networks collapse, at 1.0 nearly all. How the share grows in
#   between, and whether that depends on the size of the minibatch, would be an afternoon's work for
#   one computer.
# - **Sampling a network.** Our posterior has two dimensions and one mode, chosen so that the answer
#   is known. A network's posterior has neither property, and nothing here says how well a chain
#   gets about in it.

# %% [markdown] tags=["question"]
# **Question 6.** Take the intervals of the differences in sections 2 and 6: of n pairs an interval
# is about ± 2 s / √n, which gives s, the standard deviation of the differences. About how many
# pairs of seeds would a difference of 0.01 in test accuracy need, if its interval is to exclude 0?

# %% [markdown] tags=["answer"]
# **Answer 6.** With a standard deviation s of the differences, the interval is about ± 2 s / √n.
# With s = 0.015 that is 0.01 from n = 9 on. To find such a difference not every second time but
# nearly always takes about three times as many.

# %% [markdown]
# ## Sources
#
# - A. Zhang, Z. Lipton, M. Li, A. Smola. *Dive into Deep Learning*, MXNet edition, section 11.15:
#   [in Vietnamese](https://d2l.aivivn.com/chapter_optimization/lr-scheduler_vn.html), [in
#   English](https://d2l.ai/chapter_optimization/lr-scheduler.html).
# - I. Loshchilov, F. Hutter (2016). *SGDR: Stochastic gradient descent with warm restarts*.
#   [arXiv:1608.03983](https://arxiv.org/abs/1608.03983)
# - A. Gotmare, N. S. Keskar, C. Xiong, R. Socher (2018). *A closer look at deep learning
#   heuristics: learning rate restarts, warmup and distillation*.
#   [arXiv:1810.13243](https://arxiv.org/abs/1810.13243)
# - K. He, X. Zhang, S. Ren, J. Sun (2016). *Deep residual learning for image recognition*.
#   [arXiv:1512.03385](https://arxiv.org/abs/1512.03385)
