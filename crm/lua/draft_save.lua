-- Saves a draft if it was written from the newest revision. A draft that was
-- forgotten keeps its revision, so that an old tab does not bring it back.
-- KEYS[1] drafts (key → "revision body")
-- ARGV[1] key  ARGV[2] base revision  ARGV[3] body, "" to forget it
-- Returns {1, revision} or {0, newest revision}.
local kept = redis.call('HGET', KEYS[1], ARGV[1])
local rev, body = '0', ''
if kept then
  rev, body = string.match(kept, '^(%d+) (.*)$')
end
if rev ~= ARGV[2] and not (ARGV[2] == '0' and body == '') then
  if kept and body == ARGV[3] then
    return {1, tonumber(rev)}
  end
  return {0, tonumber(rev)}
end
local new = tonumber(rev) + 1
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', new) .. ' ' .. ARGV[3])
return {1, new}
