-- Says which report a contact belongs to, if nobody said otherwise meanwhile.
-- KEYS[1] contact record
-- ARGV[1] report it is thought to belong to, "" for none  ARGV[2] report it belongs to now
-- Returns 1; 0 when it belongs to another; -1 when there is no such contact.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return -1
end
if (redis.call('HGET', KEYS[1], 'report') or '') ~= ARGV[1] then
  return 0
end
if ARGV[1] ~= ARGV[2] then
  redis.call('HSET', KEYS[1], 'report', ARGV[2])
  redis.call('HINCRBY', KEYS[1], 'v', 1)
end
return 1
