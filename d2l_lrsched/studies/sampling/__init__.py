"""Exercise 5: sampling by stochastic gradient Langevin dynamics."""
