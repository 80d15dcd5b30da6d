-- Puts a message in its contact, once.
-- KEYS[1] contact record  KEYS[2] its messages
-- ARGV[1] message  ARGV[2] at in milliseconds  ARGV[3] thread  ARGV[4] subject
if redis.call('ZADD', KEYS[2], 'NX', ARGV[2], ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'messages', redis.call('ZCARD', KEYS[2]))
if ARGV[3] ~= '' and (redis.call('HGET', KEYS[1], 'thread') or '') == '' then
  redis.call('HSET', KEYS[1], 'thread', ARGV[3])
end
if ARGV[4] ~= '' and (redis.call('HGET', KEYS[1], 'subject') or '') == '' then
  redis.call('HSET', KEYS[1], 'subject', ARGV[4])
end
redis.call('HINCRBY', KEYS[1], 'v', 1)
return 1
