-- Saves a session unless it was ended. An ended session leaves an empty value
-- for a while, so that a request which read it before cannot bring it back.
-- KEYS[1] session
-- ARGV[1] data, ARGV[2] time to live in milliseconds
if redis.call('GET', KEYS[1]) == '' then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
