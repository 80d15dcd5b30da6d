package release

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
)

//go:embed lua/*.lua
var scripts embed.FS

func script(name string) *redis.Script {
	text, err := scripts.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(err) // embedded: cannot be absent in a binary that was built
	}
	return redis.NewScript(string(text))
}

var (
	commitScript = script("commit")
	readScript   = script("read")
)

// policyField is the releases' field that holds the Policy.
const policyField = "policy"

// Archive keeps releases on Redis. It is safe for concurrent use, by any number
// of processes.
type Archive struct {
	client                            redis.UniversalClient
	now                               func() time.Time
	releases, sources, audit, running string
}

// New returns the archive of that name. Its keys, "{name}:releases",
// "{name}:sources", "{name}:audit" and "{name}:publisher", share a hash slot, so
// it works on Redis Cluster. The client remains the caller's to close. now is
// the clock; nil for time.Now.
func New(client redis.UniversalClient, name string, now func() time.Time) *Archive {
	if now == nil {
		now = time.Now
	}
	p := "{" + name + "}:"
	return &Archive{client: client, now: now, releases: p + "releases", sources: p + "sources", audit: p + "audit", running: p + "publisher"}
}

func (a *Archive) instant() contact.Instant { return contact.At(a.now()) }

// shelf is the archive as read at one moment.
type shelf struct {
	releases []Release // by number
	surges   []Surge   // by name
	policy   Policy
	seq      uint64
	chain    string
}

func (s *shelf) find(n int) (Release, error) {
	i, found := slices.BinarySearchFunc(s.releases, n, func(r Release, n int) int { return r.Number - n })
	if !found {
		if len(s.releases) == 0 {
			return Release{}, failf(CodeUnknown, n, "there is no plan version %d: none was published yet", n)
		}
		return Release{}, failf(CodeUnknown, n, "there is no plan version %d: the newest is %d", n, s.last())
	}
	return s.releases[i], nil
}

func (s *shelf) last() int {
	if len(s.releases) == 0 {
		return 0
	}
	return s.releases[len(s.releases)-1].Number
}

// inForce is the release in force, Number 0 if none.
func (s *shelf) inForce() Release {
	for _, r := range s.releases {
		if r.State == Published {
			return r
		}
	}
	return Release{}
}

// next is the scheduled release to put in force first, Number 0 if none.
func (s *shelf) next() Release {
	var first Release
	for _, r := range s.releases {
		if r.State == Scheduled && (first.Number == 0 || r.Due < first.Due) {
			first = r
		}
	}
	return first
}

// field is the releases' field that holds the record the entry is about.
func (e Entry) field() string {
	switch {
	case e.Surge != "":
		return surgePrefix + e.Surge
	case e.Release == 0:
		return policyField
	}
	return strconv.Itoa(e.Release)
}

// fetch reads the stored records and the last audit entry, nil if none.
func (a *Archive) fetch(ctx context.Context) (map[string]string, *Entry, error) {
	got, err := readScript.RunRO(ctx, a.client, []string{a.releases, a.audit}).Slice()
	if err != nil {
		return nil, nil, fmt.Errorf("release: read the archive: %w", err)
	}
	stored := map[string]string{}
	odd := fmt.Errorf("release: read the archive: odd answer of %d parts", len(got))
	if len(got) != 2 {
		return nil, nil, odd
	}
	flat, ok := got[0].([]any)
	entries, ok2 := got[1].([]any)
	if !ok || !ok2 {
		return nil, nil, odd
	}
	for i := 0; i+1 < len(flat); i += 2 {
		k, _ := flat[i].(string)
		stored[k], _ = flat[i+1].(string)
	}
	if len(entries) == 0 {
		return stored, nil, nil
	}
	e, ok := entries[0].([]any)
	if !ok || len(e) != 2 {
		return nil, nil, odd
	}
	id, _ := e[0].(string)
	pairs, _ := e[1].([]any)
	m := redis.XMessage{ID: id, Values: map[string]any{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		k, _ := pairs[i].(string)
		m.Values[k] = pairs[i+1]
	}
	last, _, err := parseEntry(m)
	return stored, &last, err
}

func (a *Archive) read(ctx context.Context) (*shelf, error) {
	stored, last, err := a.fetch(ctx)
	if err != nil {
		return nil, err
	}
	s := &shelf{}
	if last != nil {
		s.seq, s.chain = last.Seq, last.Chain
	}
	for field, text := range stored {
		switch name, surge := strings.CutPrefix(field, surgePrefix); {
		case field == policyField:
			err = json.Unmarshal([]byte(text), &s.policy)
		case surge:
			var x Surge
			err = json.Unmarshal([]byte(text), &x)
			if err == nil && x.Name != name {
				err = fmt.Errorf("it calls itself %q", x.Name)
			}
			s.surges = append(s.surges, x)
		default:
			var r Release
			err = json.Unmarshal([]byte(text), &r)
			if err == nil && strconv.Itoa(r.Number) != field {
				err = fmt.Errorf("it calls itself %d", r.Number)
			}
			s.releases = append(s.releases, r)
		}
		if err != nil {
			n, _ := strconv.Atoi(field)
			return nil, failf(CodeDamaged, n, "the record of %s cannot be read: %v", field, err)
		}
	}
	slices.SortFunc(s.releases, func(a, b Release) int { return a.Number - b.Number })
	slices.SortFunc(s.surges, func(a, b Surge) int { return strings.Compare(a.Name, b.Name) })
	return s, nil
}

// List gives every release by number, without the texts.
func (a *Archive) List(ctx context.Context) ([]Release, error) {
	s, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	return s.releases, nil
}

// Get gives a release with its text. The text is proved by its hash.
func (a *Archive) Get(ctx context.Context, n int) (Release, error) {
	s, err := a.read(ctx)
	if err != nil {
		return Release{}, err
	}
	r, err := s.find(n)
	if err != nil {
		return Release{}, err
	}
	return a.withSource(ctx, r)
}

// InForce gives the release in force with its text; ok is false when none is.
// The running process may be about to put another in force.
func (a *Archive) InForce(ctx context.Context) (r Release, ok bool, err error) {
	s, err := a.read(ctx)
	if err != nil {
		return Release{}, false, err
	}
	if r = s.inForce(); r.Number == 0 {
		return Release{}, false, nil
	}
	r, err = a.withSource(ctx, r)
	return r, err == nil, err
}

// Policy gives what the archive asks of every release.
func (a *Archive) Policy(ctx context.Context) (Policy, error) {
	s, err := a.read(ctx)
	if err != nil {
		return Policy{}, err
	}
	return s.policy, nil
}

func (a *Archive) withSource(ctx context.Context, r Release) (Release, error) {
	text, err := a.client.HGet(ctx, a.sources, strconv.Itoa(r.Number)).Result()
	if errors.Is(err, redis.Nil) {
		return r, failf(CodeDamaged, r.Number, "the text of plan version %d is gone", r.Number)
	}
	if err != nil {
		return r, fmt.Errorf("release: read the text of version %d: %w", r.Number, err)
	}
	if hashOf(text) != r.Hash {
		return r, failf(CodeDamaged, r.Number, "the text of plan version %d is not the one that was archived", r.Number)
	}
	r.Source = text
	return r, nil
}

// change is what one step alters: records with the entry about each.
type change struct {
	about   []about
	created Release // with its Source; Number 0 if none
}

type about struct {
	release Release
	policy  *Policy
	surge   *Surge
	by      string
	action  Action
	reason  string
}

func (c *change) add(r Release, by string, action Action, reason string) {
	c.about = append(c.about, about{release: r, by: by, action: action, reason: reason})
}

// attempts bounds how often a change is tried again because others were first.
const attempts = 50

// commit applies what decide wants to the archive as it is, deciding anew when
// somebody else changed it meanwhile. decide may be called more than once.
func (a *Archive) commit(ctx context.Context, decide func(*shelf) (change, error)) error {
	for range attempts {
		s, err := a.read(ctx)
		if err != nil {
			return err
		}
		c, err := decide(s)
		if err != nil || len(c.about) == 0 {
			return err
		}
		done, err := a.try(ctx, s, c)
		if err != nil || done {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rand.N(5 * time.Millisecond)): //nolint:gosec // spreads writers, no secret
		}
	}
	return failf(CodeBusy, 0, "the archive of plans is being changed by many at once: try again")
}

func (a *Archive) try(ctx context.Context, s *shelf, c change) (bool, error) {
	at := a.instant()
	records := map[string]string{}
	var fields []string
	var tail []any
	chain := s.chain
	for i, x := range c.about {
		x.release.Source = ""
		var v any = x.release
		surge := ""
		switch {
		case x.policy != nil:
			v = x.policy
		case x.surge != nil:
			v, surge = x.surge, x.surge.Name
		}
		record, err := json.Marshal(v)
		if err != nil {
			return false, fmt.Errorf("release: encode %d: %w", x.release.Number, err)
		}
		entry := Entry{
			Seq: s.seq + uint64(i) + 1, At: at, By: x.by, Action: x.action, Release: x.release.Number, Surge: surge,
			State: x.release.State, Reason: x.reason, Record: hashOf(string(record)),
		}
		field := entry.field()
		if _, twice := records[field]; !twice {
			fields = append(fields, field)
		}
		records[field] = string(record)
		text, err := json.Marshal(entry)
		if err != nil {
			return false, fmt.Errorf("release: encode the audit entry: %w", err)
		}
		chain = link(chain, text)
		tail = append(tail, text, chain)
	}
	args := []any{s.seq, "", "", len(fields)}
	if c.created.Number > 0 {
		args[1], args[2] = c.created.Number, c.created.Source
	}
	for _, f := range fields {
		args = append(args, f, records[f])
	}
	got, err := commitScript.Run(ctx, a.client, []string{a.releases, a.sources, a.audit}, append(args, tail...)...).Int()
	if err != nil {
		return false, fmt.Errorf("release: change the archive: %w", err)
	}
	return got == 1, nil
}
