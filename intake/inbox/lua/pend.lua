-- Puts an item in line unless it stands there.
-- KEYS[1] due  KEYS[2] arrived  ARGV[1] item's name  ARGV[2] due, ms  ARGV[3] arrived, ms
redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])
redis.call('ZADD', KEYS[2], 'NX', ARGV[3], ARGV[1])
return 1
