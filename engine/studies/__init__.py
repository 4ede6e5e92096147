"""Studies over many scenarios of one deal: what breaks it, and what moves it (spec: performance 3).

parameters  what a scenario may turn: name, unit, range, how it is put into assumptions
measures    what is read from each outcome: returns, losses, average lives, coverage
grid        every combination of one, two or three parameters
breakeven   the default rate at which each class loses, earns nothing, or each test trips; surfaces of it
goal        the value of a parameter that gives a measure; the frontier over two
tornado     one parameter at a time, down and up
pricing     class x price x scenario: yields at prices, prices at yields
leave_out   the deal without each of its assets
forward     the deal at its next collection ends, as its loans are due

All run through `Model.totals` (in chunks over threads; may be stopped by their `report`); answers do not depend on
chunks or threads.
"""
