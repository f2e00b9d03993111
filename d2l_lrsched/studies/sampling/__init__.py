"""Exercise 5: sampling with stochastic gradient Langevin dynamics."""
