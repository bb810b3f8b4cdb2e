"""Sweeps: one prompt across models, temperatures and repeats.

plan            what is asked, cell by cell
estimate        what it will take and cost
repository      sweeps as they are stored
scheduler       stores plans and runs them; sends what is missing, failed or was added
run             a sweep that runs, as the page sees it; sending is the work of it, recorder puts each call down first
waiting_calls   the calls that wait for a place: which is next, and when
rate_limiter    learns from refusals what a model takes; learned_rates keeps it for the next run, shared_gates
                for several processes at once
history         what earlier calls tell of a model: how long it takes, how much it writes
progress        how a sweep stands; stops says what of it is not sent, forecast what it will have cost
ratings         what people, and models asked to, think of its answers
decision        the pick, the rules that answers have to pass, how the report is to be
study           all of that together, setting by setting; measures and diversity say what is measured of answers
verdict         what was picked, what it costs, what is cheaper, in a sentence
charts          the measures against temperature, as SVG
report          overview table and CSV
export          the report, and what else can be handed to other people
"""
