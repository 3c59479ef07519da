"""What can be done with any application: heads, strategies, stages."""
