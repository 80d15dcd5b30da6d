-- Sets how far an item is. What is done stays done.
-- KEYS[1] item  ARGV[1] state  ARGV[2] item, or "" to leave it  ARGV[3] error, or "" to leave it  ARGV[4] attempts to add
if redis.call('HGET', KEYS[1], 'state') == 'done' or redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'state', ARGV[1])
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'item', ARGV[2]) end
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'error', ARGV[3]) end
if ARGV[4] ~= '0' then redis.call('HINCRBY', KEYS[1], 'attempts', ARGV[4]) end
return 1
