"""Text in and out of the model.

prompts              the prompt formats of both levels and all variants
locations            the answer format of the high level: boxes and a subtask
action_text          the answer format of actions as FAST tokens
fast                 FAST: an action chunk as tokens (fast_coefficients: its numbers)
tokenizer            text to ids, and the small byte tokenizer (lexicon: its words)
paligemma_tokenizer  the published vocabulary
"""
