"""One call to a model: its record, and its run.

records         calls as they are stored: started, then exactly one final state
dispatcher      starts calls on the background loop and finds them again
call_outcome    how a call went, in one word
usage_rollups   what calls used, summed up as they end
usage_spread    how that is spread: bins of times and speeds, for percentiles
imported        calls that come in from a file
ledger          what calls cost, counted against a cap
budgets         what people want to use at most, and what is spent of it
worst_case      what a call may take at worst
reservations    what calls on their way may take, where several processes count together
caps            how much the operator of a shared Tempera lets people use
call_log        one line of the log for each call, without its words
runner          ask, take in what comes, save it on the way, close the record
outcome_writer  how calls ended, tried again until they are in the store
unsupported_params  what a model refused, remembered and left out from then on
code_samples    programs that make the same call
"""
