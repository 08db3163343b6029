"""Shows that what was confirmed stays theirs: crowds, and a checker that owes the site nothing."""
