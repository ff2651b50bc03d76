"""π0.5 in torch (arXiv 2504.16054): a vision-language model plans in words, an expert acts.

Read in this order: config (the sizes), transformer (the layer that both stacks share), vision,
language, expert (and pi0_expert), masks (who sees whom), pi05 (the whole), flow (how actions are
drawn), decoding (how text is drawn). prompts, tokenizer and paligemma_tokenizer, locations,
normalization, fast and action_text (actions as text) are the model's two ends; public_names and
checkpoint its files. Imports neither ROS nor a simulator.
"""
