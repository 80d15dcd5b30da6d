-- Tells where the chain ends, all at one moment.
-- KEYS[1] entries  KEYS[2] head
-- Returns {seq, hash, entries held, id of the newest held}.
local head = redis.call('HMGET', KEYS[2], 'seq', 'hash')
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
return {head[1] or '0', head[2] or '', redis.call('XLEN', KEYS[1]), last[1] and last[1][1] or '0-0'}
