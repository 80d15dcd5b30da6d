-- Notes what copies were made for, unless the record has changed since.
-- KEYS[1] record
-- ARGV[1] field that holds the version  ARGV[2] version  ARGV[3] what the copies were made for
-- Returns 1, or 0 when the record has changed.
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'made', ARGV[3])
return 1
