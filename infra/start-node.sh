#!/bin/sh
# Lambda starts Node through this (AWS_LAMBDA_EXEC_WRAPPER): NODE_OPTIONS does not take V8's sizes to begin with.
# A function lives for minutes. Its heap begins at what it comes to, instead of being collected again and again on its
# way there: a fifth of the CPU of a shard that is new to it. What lives a moment stays within 24 MB all the same: a
# fresh process pays for each new page more than for collecting.
program=$1
shift
exec "$program" \
  --initial-old-space-size=$((AWS_LAMBDA_FUNCTION_MEMORY_SIZE / 14)) \
  --min-semi-space-size=8 --max-semi-space-size=8 "$@"
