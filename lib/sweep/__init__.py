"""Sweeps: one prompt across models, temperatures and repeats.

plan            what is asked, cell by cell
estimate        what it will take and cost
repository      sweeps as they are stored
scheduler       runs a plan, so many calls at a time
ratings         what people, and models asked to, think of its answers
decision        the pick, the rules that answers have to pass, how the report is to be
study           all of that together, setting by setting; measures and diversity say what is measured of answers
verdict         what was picked, what it costs, what is cheaper, in a sentence
charts          the measures against temperature, as SVG
report          overview table and CSV
export          the report, and what else can be handed to other people
"""
