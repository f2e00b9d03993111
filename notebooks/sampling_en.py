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
# # Optimization and sampling
#
# [Tiếng Việt](sampling_vi.ipynb)
#
# The fifth exercise of section 11.15 of *Dive into Deep Learning* asks how optimization and
# sampling are connected. The schedule connects them: this notebook shows how, on a problem whose
# answer is known.
#
# **You will learn** what noise of the right size makes of SGD; why its step must fall, and how
# fast; and to check samples against a formula. **You need** the notebook on [learning rate
# scheduling](lr_scheduling_en.ipynb), Gaussians, and what a posterior is. **It takes** about 45
# minutes. All is made from stored samples, in seconds.

# %%
# %matplotlib inline
# %config InlineBackend.figure_format = "retina"
import numpy as np
from IPython.display import Markdown, display

from d2l_lrsched.studies.sampling import page as sampling
from d2l_lrsched.studies.sampling import posterior, record
from d2l_lrsched.studies.sampling.figures import sgld
from d2l_lrsched.studies.sampling.verdicts import sampling_errors
from d2l_lrsched.translation import Words

words = Words("en")
samples = record.read("../figures/sampling/samples.jsonl")
len(samples)

# %% [markdown]
# Until now we have asked training for *one* parameter vector. A Bayesian asks for all of them, each
# as often as the data make it probable: for draws from the *posterior* $p(\theta \mid x_1, \ldots,
# x_N)$. Welling and Teh (2011) show how little has to be changed: take the minibatch gradient step
# and add noise of the right size.
#
# $$\theta_{t+1} = \theta_t + \frac{\epsilon_t}{2} \left( \nabla \log p(\theta_t) {} + \frac{N}{n}
# \sum_{i=1}^{n} \nabla \log p(x_{ti} \mid \theta_t) \right) + \eta_t, \qquad \eta_t \sim
# \mathcal{N}(0, \epsilon_t)$$
#
# (their equation 4; here $\eta_t$ is the noise). The sequence $\theta_1, \theta_2, \ldots$ is
# called a *chain*. Without $\eta_t$ this is SGD with weight decay, the prior. With it, and with
# small steps, it is *stochastic gradient Langevin dynamics*. The secret is a matter of orders: the
# gradient of a minibatch is noisy, too, but its noise enters with variance $\propto \epsilon_t^2$,
# the injected one with $\epsilon_t$. As the step shrinks, the right noise wins. So the schedule is
# not decoration, it is what makes the method correct:
#
# $$\epsilon_t = a\,(b + t)^{-\gamma}, \quad \gamma \in (0.5, 1], \qquad \sum_t \epsilon_t = \infty,
# \quad \sum_t \epsilon_t^2 < \infty.$$
#
# The first sum lets the chain get anywhere, the second lets its errors die out: the two classical
# conditions (Robbins and Monro) under which SGD converges to a point. The square root of the first
# notebook, $\gamma = 0.5$, just misses the second: it makes the bound on the average loss along the
# way smallest, and promises no point.
#
# ## A posterior that we know
#
# Whether samples are right can only be checked where the answer is known. So: $N = 100$ points in
# the plane around an unknown mean $\theta$, in minibatches of $n = 10$, with known covariance
# $\Sigma$, of eigenvalues 1 and 4, and the prior $\mathcal{N}(0, I/w)$ with $w = 4$. The posterior
# is Gaussian, with precision $N \Sigma^{-1} + w I$, and has a narrow and a wide axis. Better still:
# because the gradient is linear in $\theta$, we know not only the goal but also the mean and the
# variance of the chains *at every update*. Along an axis of precision $\lambda$, where the
# minibatch gradient has the variance $V$, measured in the posterior's standard deviations from its
# mean:
#
# $$m_t = a_t\, m_{t-1}, \qquad v_t = a_t^2\, v_{t-1} {} + \lambda \left( \epsilon_t + \tfrac{1}{4}
# \epsilon_t^2 V \right), \qquad a_t = 1 - \tfrac{1}{2} \epsilon_t \lambda.$$
#
# A fixed step $\epsilon$ thus leads to
#
# $$v = \frac{1 + \epsilon V / 4}{1 - \epsilon \lambda / 4},$$
#
# where 1 would be right. Both corrections make it *too wide*, and at $\epsilon \lambda = 4$ it
# breaks: beyond that the chain diverges. Leave out the noise, and the 1 in the numerator goes.

# %%
narrow, wide = posterior.PRECISIONS
words.print("posterior mean", posterior.POSTERIOR_MEAN.round(3), "precisions", narrow, wide)
words.print(f"largest stable step: narrow axis {4 / narrow:.4f}, wide axis {4 / wide:.4f}")
words.print("the paper's schedule:", posterior.PAPER_SCHEDULE)
for name, setting in posterior.SETTINGS.items():
    if isinstance(setting.step, float):
        exact = posterior.stationary(setting.step, setting.noise)
        words.print(f"{name}: step {setting.step:g} leads to variances", exact.round(3))

# %% [markdown]
# We have run MXNet's own `sgld` optimizer, driven by a scheduler like any other optimizer:
# thousands of independent chains of 2000 updates for each setting, all starting at the prior's
# mean. Above, the last samples of several settings; the solid ellipse holds 95 % of the posterior,
# the dashed one 95 % of what the formulas predict for the chains. Below, over the updates, the
# variance along the narrow axis and $W_2$, a distance from the posterior that is explained below:
# markers are sampled, lines are calculated.

# %%
words.figure(sgld(samples))

# %% [markdown]
# The table shows the last update; exact values are in brackets. The columns: setting; its step;
# variance along either axis, where 1 is the posterior's; by how much the mean is off, along the
# worse axis, in standard deviations; $W_2$, the Wasserstein distance from the posterior, which
# counts errors of mean and shape together; the update from which on $W_2$ stays below 0.25; *far*,
# the chains that end more than 10 standard deviations away. The last two columns are two different
# questions, each with a p-value: do the chains agree with *what the formulas predict for them*, and
# with *the posterior*?

# %%
pooled = record.pool(samples)
display(words.table(sampling.last_update(pooled)))
Markdown(words.text(sampling.method(pooled)))

# %% [markdown]
# - **A fixed step samples the wrong thing, and exactly as predicted.** *fixed-moderate* is quick to
#   arrive and then stays too wide for ever; *fixed-large* is a cloud that hardly knows the
#   posterior's shape. A "yes" in the one column and a "no" in the other: the program does what the
#   theory says, and the theory says that this is not the posterior.
# - **A small fixed step is nearly right but slow**; of all settings *paper*, which starts with
#   large steps and ends with small ones, comes nearest, and is near much sooner.
# - **Beyond the limit it diverges.** The step of *fixed-unstable* is hardly above the bound of the
#   narrow axis, and that is enough.
# - **Without noise it is optimization.** *sgd-paper* shrinks to a point near the posterior's mean,
#   all uncertainty lost. *sgd-moderate* does not come to rest: its cloud is the minibatches' noise
#   and has their shape, not the posterior's. This is the region around the minimum in which SGD at
#   a constant rate is caught.
#
# Why does even *paper* get a "no"? The exact variance in brackets is nearly 1, so its *law* is
# closer to the posterior than as many honest draws could show. See how many standard errors the
# sampled variance of the narrow axis lies above the exact one, and above 1:

# %%
by_name = {sampled.setting.name: sampled for sampled in pooled}
for name in ("paper", "fixed-small"):
    sampled = by_name[name]
    error = sampling_errors(sampled.num_chains)["variance"]
    found, exact = sampled.found.variance[-1, 0], sampled.exact.variance[-1, 0]
    excess = f"{(found / exact - 1) / error:+.1f} above the exact"
    words.print(f"{name}, in standard errors: {excess}, {(found - 1) / error:+.1f} above 1")

# %% [markdown]
# A bad draw, then, on top of a small true excess; and *fixed-small*, whose chains have the very
# same random numbers, shows it as well. There are many tests of predictions, and among so many a
# deviation like this one has to be expected somewhere: corrected for their number, the prediction
# stands. The tests against the posterior are fewer, so they are corrected by less, and reject. "No"
# is not wrong, the law is not exactly the posterior, but most of what it has seen is luck. That is
# what several numbers beside a verdict are for.
#
# ## Averages along the way
#
# Usually there is one chain, not thousands, and one averages along it. The paper weights each
# sample by its step. The columns: setting; weights (by the step, or plain; with a fixed step they
# are the same); error of the mean; mean square along either axis, where 1 is right; the error that
# *one* chain's average of position and of square typically has; agreement with the posterior.

# %%
words.table(sampling.averages(pooled))

# %% [markdown]
# With the paper's schedule the plain average is the *better* one here. The weights are largest
# where the steps are, at the beginning, and there, even after the first tenth of the updates has
# been left out, the chains were still on their way along the wide axis. In the long run the weights
# do no harm and make the theory go through; 2000 updates are no long run.
#
# In the first table one "no" under *agrees with the prediction* remains: *fixed-unstable*. Its
# narrow axis diverges as predicted, but its wide axis, which ought to be stable, is far too wide.
# The formulas are right; the arithmetic is not. The chain is stored as $\theta_1$ and $\theta_2$,
# and both contain a share of the diverging axis. How far apart are neighboring float64 numbers of
# that size?

# %%
unstable = by_name["fixed-unstable"]
narrow_sd, wide_sd = np.sqrt(unstable.exact.variance[-1])
words.print(f"exact standard deviations: narrow axis {narrow_sd:.2g}, wide axis {wide_sd:.2g}")
words.print(f"spacing of float64 numbers of the former's size: {np.spacing(narrow_sd):.2g}")

# %% [markdown]
# What the wide axis should show is far below the last bit, and the rounding errors of the one axis
# appear as a spread of the other. (The table's own number is larger still: the records keep the
# covariance of $\theta_1$ and $\theta_2$ to 7 digits, and turning it into the axes subtracts
# numbers that are nearly equal.)
#
# ## So what connects them?
#
# Large steps explore, small steps settle; that holds for both. In *optimization* the rate falls so
# that the noise dies out and one point is left. In *sampling* it falls so that the wrong noise dies
# out and the right one is left. The same schedule, with one line of code more or less, ends at a
# point or in the whole posterior. And a constant rate does neither: it samples, but from a
# distribution that nobody has asked for (Mandt et al., 2017, ask which one).

# %% [markdown] tags=["question"]
# **Question 1.** Double the minibatch. What becomes of $V$, and of the variance at a fixed step,
# with the noise and without? Which change of the step would have the same effect?

# %% [markdown] tags=["answer"]
# **Answer 1.** V is halved. With noise the variance comes nearer to 1, by half of its first
# correction; without noise it is halved. To halve the step instead does the same to εV, and lessens
# the second correction, too; but then the chain needs twice as many updates.

# %% [markdown]
# ## Sources
#
# - M. Welling, Y. W. Teh (2011). *Bayesian learning via stochastic gradient Langevin dynamics*.
#   [ICML 2011](https://icml.cc/2011/papers/398_icmlpaper.pdf)
# - S. Mandt, M. D. Hoffman, D. M. Blei (2017). *Stochastic gradient descent as approximate Bayesian
#   inference*. [arXiv:1704.04289](https://arxiv.org/abs/1704.04289)
