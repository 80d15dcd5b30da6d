-- Takes a contact off a timeline and leaves its version behind, so that a late
-- write of an older version cannot bring it back.
-- KEYS[1] order  KEYS[2] entries
-- ARGV[1] contact  ARGV[2] version
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ' ')
return 1
