"""Which schedule should I use? Each at the peak rate that suits it, at one budget."""
