"""Outgoing HTTP: services, their addresses and models, requests and answers.

client          one request, its answer as it comes; transport has its connections and clocks
answer_stream   events or JSON -> deltas; sse, thinking, dialects, usage_report, model_ids for what differs
error_mapping   statuses and error bodies -> errors of ours; error_bodies reads them
answer_parts    what an answer holds beside its text: tool calls, images, audio, sources
pricing         what a model costs where it is asked
retry           whether and when to try again
endpoints       services and how a model is named; endpoint_registry says who may use which, model_lists what they
                offer
addresses       base URLs and keys, checked before use
key_masking     takes keys, by value, out of what services send and of the log
error_redaction makes texts of errors fit to keep: no keys, nothing hidden, not too long
raw_answers     what came, to the letter, for the last calls
vendors         who makes a model
"""
