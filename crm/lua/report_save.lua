-- Saves a report and the tasks that changed with it, if nobody changed either
-- since they were read.
-- KEYS[1] report  KEYS[2] tasks
-- ARGV[1] version the change began from, "0" for a new report  ARGV[2] report
-- ARGV[3…] task, text before or "", text after; task …
-- Returns 1 when saved, 0 on a conflict.
if (redis.call('HGET', KEYS[1], 'v') or '0') ~= ARGV[1] then
  return 0
end
for i = 3, #ARGV, 3 do
  if (redis.call('HGET', KEYS[2], ARGV[i]) or '') ~= ARGV[i + 1] then
    return 0
  end
end
for i = 3, #ARGV, 3 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 2])
end
redis.call('HSET', KEYS[1], 'doc', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'v', 1)
return 1
