"""The paper's tables in small: stored results of runs, and the pages that are made of them."""
