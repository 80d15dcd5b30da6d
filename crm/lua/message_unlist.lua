-- Takes a message out of its former contact, once.
-- KEYS[1] contact record  KEYS[2] its messages  ARGV[1] message
if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'messages', redis.call('ZCARD', KEYS[2]))
redis.call('HINCRBY', KEYS[1], 'v', 1)
return 1
