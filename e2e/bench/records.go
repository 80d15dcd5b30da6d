package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/sample"
	"example.org/c3i/crm/search"
	"example.org/c3i/e2e/bench/measure"
)

// recordsFigure is how long it takes to find records, and what they weigh.
type recordsFigure struct {
	People   int `json:"people"`
	Contacts int `json:"contacts"`
	Reports  int `json:"reports"`
	// Filled is how long it took to fill in everything, in seconds.
	Filled float64 `json:"filled_seconds"`
	// RedisMB is Redis' memory before, and with the records and their index.
	RedisMB [2]float64 `json:"redis_mb"`
	// ResidentMB is Redis' process, FileMB its append-only file, 0 for none.
	ResidentMB float64         `json:"redis_resident_mb"`
	FileMB     float64         `json:"redis_file_mb"`
	ProcessMB  float64         `json:"process_mb"`
	Searches   []lookupFigure  `json:"searches"`
	Naive      []lookupFigure  `json:"naive"`
	Typing     measure.Summary `json:"typing"`
	// Pop is a screen-pop from the caller's arrival, Timeline a person's history over
	// all channels.
	Pop      measure.Summary `json:"pop"`
	Timeline measure.Summary `json:"timeline"`
}

// lookupFigure is one kind of look-up.
type lookupFigure struct {
	What    string          `json:"what"`
	Example string          `json:"example"`
	Hits    float64         `json:"hits_mean"`
	Partial int             `json:"partial"`
	Missed  int             `json:"missed"` // what was looked for was not found
	Time    measure.Summary `json:"time"`
	// CPU is this process' and Redis' processor time for each, in milliseconds; unlike
	// Time it does not depend on what else the machine does.
	CPU float64 `json:"cpu_ms"`
}

// measureRecords fills a CRM with an invented town, and looks people up and
// searches as desks do.
func measureRecords(ctx context.Context, o options, db *redisServer) (*recordsFigure, error) {
	w, filled, err := worldIn(ctx, o, db)
	if err != nil {
		return nil, err
	}
	f := &recordsFigure{People: w.People(), Contacts: w.Contacts(), Reports: w.Reports()}
	x, err := search.Open(ctx, search.Options{Redis: db.client, Region: "GB", Within: 5 * time.Second})
	if err != nil {
		return nil, err
	}
	store, err := crm.Open(ctx, crm.Options{Redis: db.client, Region: "GB", Search: crm.Found{Index: x}})
	if err != nil {
		return nil, err
	}
	if f.RedisMB[0], err = redisFigure(ctx, db, "used_memory"); err != nil {
		return nil, err
	}
	if !filled {
		if err := fillIn(ctx, o, db, store, w, f); err != nil {
			return nil, err
		}
	}
	for name, to := range map[string]*float64{"used_memory": &f.RedisMB[1], "used_memory_rss": &f.ResidentMB, "aof_current_size": &f.FileMB} {
		if *to, err = redisFigure(ctx, db, name); err != nil {
			return nil, err
		}
	}
	if err := naive(ctx, o, db, f); err != nil {
		return nil, err
	}
	if err := reads(ctx, o, store, w, f); err != nil {
		return nil, err
	}
	text, err := redisInfo(ctx, db, "process_id")
	if err != nil {
		return nil, err
	}
	pid, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("redis does not tell its process: %w", err)
	}
	for _, l := range lookups(w) {
		o.progress("search: %s", l.what)
		if err := l.measure(ctx, o, x, pid, f); err != nil {
			return nil, err
		}
	}
	if err := typing(ctx, o, x, w, f); err != nil {
		return nil, err
	}
	f.ProcessMB, err = residentMB(os.Getpid())
	return f, err
}

// worldKey keeps which world a Redis was filled with, so that it can be measured
// again.
const worldKey = "bench:world"

// worldIn gives the world to measure, and whether Redis is filled with it already.
func worldIn(ctx context.Context, o options, db *redisServer) (sample.World, bool, error) {
	was, err := db.client.Get(ctx, worldKey).Bytes()
	if err == nil {
		var of sample.Options
		err := json.Unmarshal(was, &of)
		return sample.New(of), true, err
	}
	if !errors.Is(err, redis.Nil) {
		return sample.World{}, false, err
	}
	return sample.New(worldOf(o)), false, nil
}

func worldOf(o options) sample.Options {
	return sample.Options{Seed: 1, People: o.recordPeople, Contacts: o.recordContacts, Reports: -1, Now: contact.At(o.began)}
}

// fillIn fills a store with a world.
func fillIn(ctx context.Context, o options, db *redisServer, store *crm.Store, w sample.World, to *recordsFigure) error {
	// A rewrite of the append-only file amid the filling would need the memory twice.
	if err := db.client.ConfigSet(ctx, "auto-aof-rewrite-percentage", "0").Err(); err != nil {
		return err
	}
	// What fills makes much garbage beside little that stays.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	began, told := time.Now(), ""
	err := sample.Load(ctx, store, w, func(what string, done, of int) {
		if at := fmt.Sprintf("filling in %s: %d0%% of %d", what, done*10/of, of); at != told {
			told = at
			o.progress("%s", at)
		}
	})
	if err != nil {
		return err
	}
	to.Filled = time.Since(began).Seconds()
	text, err := json.Marshal(worldOf(o))
	if err != nil {
		return err
	}
	return db.client.Set(ctx, worldKey, text, 0).Err()
}

// reads measures the screen-pop of a caller and the timeline of a person.
func reads(ctx context.Context, o options, store *crm.Store, w sample.World, to *recordsFigure) error {
	o.progress("screen-pops and timelines")
	r := rand.New(rand.NewPCG(6, 7))
	ids := contact.NewIDs(nil)
	var pops, timelines []time.Duration
	for range o.searches {
		p := w.Person(r.IntN(w.People()))
		id := contact.ID(ids.New())
		start := time.Now()
		facts, err := store.Identify(ctx, crm.Arrival{
			ID: id, Channel: contact.Phone, At: contact.At(start), Caller: contact.Caller{Number: p.Numbers[0], CLI: contact.CLIPresented, Dialled: "101"},
		})
		if err != nil {
			return err
		}
		pop, err := store.Pop(ctx, id, facts)
		pops = append(pops, time.Since(start))
		if err != nil {
			return err
		}
		if len(pop.People) == 0 {
			return errors.New("a caller who is known was shown as nobody")
		}
		start = time.Now()
		if _, err := store.PersonTimeline(ctx, p.ID, 0, 50); err != nil {
			return err
		}
		timelines = append(timelines, time.Since(start))
	}
	to.Pop, to.Timeline = measure.Summarise(pops), measure.Summarise(timelines)
	return nil
}

// recordsAlone measures on a Redis of its own, so that its memory is the records'.
func recordsAlone(ctx context.Context, o options) (_ *recordsFigure, err error) {
	if o.recordRedis != "" {
		db := &redisServer{socket: o.recordRedis, client: clientOf(o.recordRedis)}
		defer func() { err = errors.Join(err, db.client.Close()) }()
		return measureRecords(ctx, o, db)
	}
	dir, err := temporary()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := startRedis(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.stop()) }()
	return measureRecords(ctx, o, db)
}

// lookup is one way of searching; ask gives a query and whom it must find, "" for
// anybody.
type lookup struct {
	what string
	ask  func(r *rand.Rand) (text, must string)
}

func lookups(w sample.World) []lookup {
	person := func(r *rand.Rand) crm.Person { return w.Person(r.IntN(w.People())) }
	report := func(r *rand.Rand) crm.Report { rep, _ := w.Report(r.IntN(w.Reports())); return rep }
	return []lookup{
		{"a full name", func(r *rand.Rand) (string, string) { return person(r).Name + " ", "" }},
		{"two letters of a name", func(r *rand.Rand) (string, string) { return head(person(r).Surname, 2), "" }},
		{"three letters of a name", func(r *rand.Rand) (string, string) { return head(person(r).Surname, 3), "" }},
		{"five letters of a name", func(r *rand.Rand) (string, string) { return head(person(r).Surname, 5), "" }},
		{"given name, surname begun", func(r *rand.Rand) (string, string) { p := person(r); return p.GivenName + " " + head(p.Surname, 2), "" }},
		{"a name misspelled", func(r *rand.Rand) (string, string) {
			p := person(r)
			return p.GivenName + " " + strings.NewReplacer("i", "y", "c", "k", "ph", "f").Replace(p.Surname) + " ", ""
		}},
		{"a number", func(r *rand.Rand) (string, string) { p := person(r); return p.Numbers[0], string(p.ID) }},
		{"eight digits of a number", func(r *rand.Rand) (string, string) { return head(person(r).Numbers[0], 9), "" }},
		{"ten digits of a number", func(r *rand.Rand) (string, string) { return head(person(r).Numbers[0], 11), "" }},
		{"a number's last six digits", func(r *rand.Rand) (string, string) { n := person(r).Numbers[0]; return n[len(n)-6:], "" }},
		{"an e-mail address", func(r *rand.Rand) (string, string) {
			for {
				if p := person(r); len(p.Emails) > 0 {
					return p.Emails[0], string(p.ID)
				}
			}
		}},
		{"a postcode", func(r *rand.Rand) (string, string) { return person(r).Addresses[0].Postcode, "" }},
		{"name and postcode", func(r *rand.Rand) (string, string) {
			p := person(r)
			return p.Surname + " " + p.Addresses[0].Postcode, string(p.ID)
		}},
		{"a serial number", func(r *rand.Rand) (string, string) {
			for {
				if rep := report(r); len(rep.Property) > 0 {
					return rep.Property[0].Unique, string(rep.ID)
				}
			}
		}},
		{"one common word", func(r *rand.Rand) (string, string) { return pickOf(r, "stolen", "bicycle", "window", "caller"), "" }},
		{"three words of the narrative", func(r *rand.Rand) (string, string) {
			return "stolen " + pickOf(r, "black", "silver", "green") + " " + pickOf(r, "watch", "laptop", "camera") + " ", ""
		}},
		{"a name and words", func(r *rand.Rand) (string, string) { return person(r).Surname + " bicycle", "" }},
		{"a name and words that never meet", func(r *rand.Rand) (string, string) { return person(r).Name + " fireworks passport ", "" }},
		{"words that never meet", func(*rand.Rand) (string, string) { return "fireworks passport catalytic ", "" }},
		{"nobody's name", func(r *rand.Rand) (string, string) { return "Zzyzx " + person(r).Surname, "" }},
	}
}

func head(s string, n int) string {
	r := []rune(s)
	return string(r[:min(n, len(r))])
}

func pickOf(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

func (l lookup) measure(ctx context.Context, o options, x *search.Index, redis int, to *recordsFigure) error {
	r := rand.New(rand.NewPCG(2, 3))
	before, err := busyWith(redis)
	if err != nil {
		return err
	}
	f := lookupFigure{What: l.what}
	var times []time.Duration
	hits := 0
	for range o.searches {
		text, must := l.ask(r)
		f.Example = text
		start := time.Now()
		res, err := x.Query(ctx, search.Query{Text: text})
		times = append(times, time.Since(start))
		if err != nil {
			return fmt.Errorf("search for %s: %w", l.what, err)
		}
		hits += len(res.Hits)
		if res.Partial {
			f.Partial++
		}
		found := must == ""
		for _, h := range res.Hits {
			found = found || h.ID == must
		}
		if !found && !res.More {
			f.Missed++
		}
	}
	after, err := busyWith(redis)
	if err != nil {
		return err
	}
	f.CPU = measure.Milliseconds(after-before) / float64(o.searches)
	f.Hits, f.Time = float64(hits)/float64(o.searches), measure.Summarise(times)
	to.Searches = append(to.Searches, f)
	return nil
}

// typing searches at every keystroke, as a desk does.
func typing(ctx context.Context, o options, x *search.Index, w sample.World, to *recordsFigure) error {
	o.progress("search: typing names and numbers")
	r := rand.New(rand.NewPCG(4, 5))
	var times []time.Duration
	for len(times) < o.searches*5 {
		p := w.Person(r.IntN(w.People()))
		text := []rune(pickOf(r, p.Name, p.Numbers[0], p.Surname+" "+p.Addresses[0].Postcode))
		for n := 2; n <= len(text); n++ {
			start := time.Now()
			if _, err := x.Query(ctx, search.Query{Text: string(text[:n])}); err != nil {
				return fmt.Errorf("search while typing: %w", err)
			}
			times = append(times, time.Since(start))
		}
	}
	to.Typing = measure.Summarise(times)
	return nil
}

// naive measures what no look-up in this Redis can be faster than: one GET and
// one HGETALL, by the same client in the same run.
func naive(ctx context.Context, o options, db *redisServer, to *recordsFigure) error {
	if err := db.client.Set(ctx, "bench:string", strings.Repeat("x", 300), 0).Err(); err != nil {
		return err
	}
	if err := db.client.HSet(ctx, "bench:hash", "person", strings.Repeat("x", 300), "changed", "1").Err(); err != nil {
		return err
	}
	for what, ask := range map[string]func() error{
		"bare GET":     func() error { return db.client.Get(ctx, "bench:string").Err() },
		"bare HGETALL": func() error { return db.client.HGetAll(ctx, "bench:hash").Err() },
	} {
		var times []time.Duration
		for range o.searches * 10 {
			start := time.Now()
			if err := ask(); err != nil {
				return err
			}
			times = append(times, time.Since(start))
		}
		to.Naive = append(to.Naive, lookupFigure{What: what, Time: measure.Summarise(times)})
	}
	return db.client.Del(ctx, "bench:string", "bench:hash").Err()
}

// redisFigure is what INFO says of a size, in megabytes; 0 for what it does not tell.
func redisFigure(ctx context.Context, db *redisServer, name string) (float64, error) {
	v, err := redisInfo(ctx, db, name)
	if v == "" || err != nil {
		return 0, err
	}
	n, err := strconv.ParseFloat(v, 64)
	return n / (1 << 20), err
}

func redisInfo(ctx context.Context, db *redisServer, name string) (string, error) {
	info, err := db.client.Info(ctx).Result()
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(v), nil
		}
	}
	return "", nil
}

// busyWith is the processor time of this process and of a Redis together.
func busyWith(redis int) (time.Duration, error) {
	own, err := measure.CPU(os.Getpid())
	if err != nil {
		return 0, err
	}
	theirs, err := measure.CPU(redis)
	return own + theirs, err
}

// residentMB is a process' memory in use.
func residentMB(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "kB")), 64)
			return n / 1024, err
		}
	}
	return 0, errors.New("the kernel does not tell a process' memory")
}

func (f *recordsFigure) print(out io.Writer) {
	fmt.Fprintf(out, "\n(e) Records: %d people, %d contacts, %d reports, ms\n\n", f.People, f.Contacts, f.Reports)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "search for\tcount\thits\tpartial\tmedian\tp90\tp99\tmax\tCPU\t")
	line := func(l lookupFigure) {
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%s\t\n", l.What, l.Time.Count, l.Hits, l.Partial, l.Time.Median, l.Time.P90, l.Time.P99, l.Time.Max, some(l.CPU))
	}
	for _, l := range f.Searches {
		line(l)
	}
	line(lookupFigure{What: "each keystroke", Time: f.Typing})
	line(lookupFigure{What: "(screen-pop)", Time: f.Pop})
	line(lookupFigure{What: "(timeline)", Time: f.Timeline})
	for _, l := range f.Naive {
		line(l)
	}
	_ = w.Flush()
	fmt.Fprintf(out, "\nRedis %.0f MB before and %.0f MB with the records and their index (its process %.0f MB, its file %.0f MB)", f.RedisMB[0], f.RedisMB[1], f.ResidentMB, f.FileMB)
	if f.Filled > 0 {
		fmt.Fprintf(out, ", filled in %.0f s", f.Filled)
	}
	fmt.Fprintf(out, "; this process %.0f MB.\n", f.ProcessMB)
}
