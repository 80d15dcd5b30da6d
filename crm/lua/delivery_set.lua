-- Sets how far a message got unless something newer is known.
-- KEYS[1] message
-- ARGV[1] at, in nanoseconds with leading zeros, so that text compares like numbers  ARGV[2] delivery
-- Returns 0 when there is no such message.
if redis.call('HEXISTS', KEYS[1], 'doc') == 0 then
  return 0
end
if ARGV[1] >= (redis.call('HGET', KEYS[1], 'delivered_at') or '') then
  redis.call('HSET', KEYS[1], 'delivery', ARGV[2], 'delivered_at', ARGV[1])
end
return 1
