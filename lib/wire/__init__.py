"""What goes over the wire and comes back: everything `lib.client` needs to understand every gateway.

addresses masks     base URLs and keys, checked before use and masked afterwards
transport           connections, one per call, and clocks
events              bytes -> server-sent events
stream              events or JSON -> deltas; thinking, dialects, usage_report, model_ids for what differs
refusals            statuses and error bodies -> errors of ours; refusal_texts reads them
retry               whether and when to try again
"""
