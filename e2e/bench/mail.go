package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/redis/go-redis/v9"

	"example.org/c3i/crm/blob"
	"example.org/c3i/e2e/bench/measure"
	"example.org/c3i/e2e/mailserver"
	"example.org/c3i/intake/inbox"
)

// mailFigures are how fast mail is taken, and how soon it is in routing's hands.
type mailFigures struct {
	Taking []mailFigure  `json:"taking"`
	Filing []filedFigure `json:"filing"`
	// Ledger counts what C3i answered 250 to, and what its inbox then held.
	Ledger struct {
		Answered int `json:"answered_250"`
		Items    int `json:"items"`
		Filed    int `json:"filed"`
		Contacts int `json:"contacts"`
	} `json:"ledger"`
	Faults []string `json:"faults,omitempty"`
}

// mailFigure is what one system did with one size of mail.
type mailFigure struct {
	System      string `json:"system"`
	Size        string `json:"size"`
	Bytes       int    `json:"bytes"`
	Connections int    `json:"connections"`
	Count       int    `json:"count"`
	// PerSecond is how many were answered 250; Filed how many of C3i's were filed and
	// answered with a receipt, from the first byte until nothing was left to do.
	PerSecond float64 `json:"per_second"`
	Filed     float64 `json:"filed_per_second,omitempty"`
	// Whole is from MAIL to 250, Answer from the last byte to 250.
	Whole  measure.Summary `json:"whole"`
	Answer measure.Summary `json:"answer"`
	// C3i and Redis are their processor time for a mail, filing included.
	C3i   float64 `json:"c3i_cpu_ms,omitempty"`
	Redis float64 `json:"redis_cpu_ms,omitempty"`

	whole, answer             []time.Duration
	took, filing              time.Duration
	busyController, busyRedis time.Duration
}

// filedFigure is how long a mail that comes alone takes from MAIL to 250, and from
// there until it is filed.
type filedFigure struct {
	Size   string          `json:"size"`
	Taking measure.Summary `json:"taking"`
	Time   measure.Summary `json:"time"`
}

// mailSize is one kind of mail.
type mailSize struct {
	name  string
	count int
	head  string // further fields
	body  []byte
}

const (
	mailDomain  = "police.example.org"
	mailAddress = "101@" + mailDomain
)

// mailSizes are a few lines of text, a text of a hundred thousand bytes, and a
// photograph of five million.
func mailSizes(o options) []mailSize {
	r := rand.New(rand.NewPCG(11, 12))
	words := strings.Fields("my bicycle was taken from the shed at the back between nine and noon it is green with a black saddle and the lock was cut and left")
	text := func(n int) []byte {
		var b bytes.Buffer
		for b.Len() < n {
			for range 12 {
				b.WriteString(words[r.IntN(len(words))] + " ")
			}
			b.WriteString("\r\n")
		}
		return b.Bytes()
	}
	photo := make([]byte, 3_650_000)
	for i := range photo {
		photo[i] = byte(r.Uint32())
	}
	copy(photo, "\xff\xd8\xff\xe0\x00\x10JFIF\x00")
	var with bytes.Buffer
	fmt.Fprintf(&with, "--part\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n", text(400))
	with.WriteString("--part\r\nContent-Type: image/jpeg\r\nContent-Disposition: attachment; filename=\"shed.jpg\"\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	for code := base64.StdEncoding.EncodeToString(photo); len(code) > 0; {
		n := min(76, len(code))
		with.WriteString(code[:n] + "\r\n")
		code = code[n:]
	}
	with.WriteString("--part--\r\n")
	plain := "Content-Type: text/plain; charset=utf-8\r\n"
	return []mailSize{
		{"text, 1 kB", o.mails, plain, text(600)},
		{"text, 100 kB", max(1, o.mails/4), plain, text(100_000)},
		{"photograph, 5 MB", max(1, o.mails/40), "Content-Type: multipart/mixed; boundary=part\r\n", with.Bytes()},
	}
}

// letter is the n-th mail; no two are the same, nor from the same sender.
type letter struct {
	from string
	head []byte
	body []byte
}

func (s mailSize) letter(n int) letter {
	from := fmt.Sprintf("sender%08d@example.org", n)
	head := fmt.Sprintf("From: Alex Example <%s>\r\nTo: <%s>\r\nSubject: My bicycle, %d\r\nDate: %s\r\nMessage-ID: <bench.%d.%d@example.org>\r\nMIME-Version: 1.0\r\n%s\r\n",
		from, mailAddress, n, time.Now().Format(time.RFC1123Z), os.Getpid(), n, s.head)
	return letter{from, []byte(head), s.body}
}

func (l letter) reader() io.Reader {
	return io.MultiReader(bytes.NewReader(l.head), bytes.NewReader(l.body))
}

// taker takes mails one after the other. It tells how long the whole took, and
// how long the answer after the last byte.
type taker interface {
	take(ctx context.Context, l letter) (whole, answer time.Duration, err error)
	io.Closer
}

// mailSystem is one of those compared.
type mailSystem struct {
	name string
	open func() (taker, error)
	// prepare comes before a round.
	prepare func(context.Context) error
	// c3i counts what it answers.
	c3i bool
}

// smtpTaker is a connection to a mail server.
type smtpTaker struct{ client *smtp.Client }

func dialSMTP(addr string) func() (taker, error) {
	return func() (taker, error) {
		c, err := smtp.Dial(addr)
		if err != nil {
			return nil, err
		}
		return smtpTaker{c}, c.Hello("mail.example.org")
	}
}

func (t smtpTaker) take(_ context.Context, l letter) (whole, answer time.Duration, err error) {
	start := time.Now()
	if err := t.client.Mail(l.from, nil); err != nil {
		return 0, 0, err
	}
	if err := t.client.Rcpt(mailAddress, nil); err != nil {
		return 0, 0, err
	}
	w, err := t.client.Data()
	if err != nil {
		return 0, 0, err
	}
	if _, err := io.Copy(w, l.reader()); err != nil {
		return 0, 0, err
	}
	sent := time.Now()
	err = w.Close()
	end := time.Now()
	return end.Sub(start), end.Sub(sent), err
}

func (t smtpTaker) Close() error { return t.client.Quit() }

// fileTaker appends to a file of its own and has the disk confirm each mail.
type fileTaker struct{ f *os.File }

func (t fileTaker) take(_ context.Context, l letter) (whole, answer time.Duration, err error) {
	start := time.Now()
	if _, err := io.Copy(t.f, l.reader()); err != nil {
		return 0, 0, err
	}
	sent := time.Now()
	err = t.f.Sync()
	end := time.Now()
	return end.Sub(start), end.Sub(sent), err
}

func (t fileTaker) Close() error { return errors.Join(t.f.Close(), os.Remove(t.f.Name())) }

// blobTaker puts each mail into a blob store: what C3i does with its bytes.
type blobTaker struct{ d *blob.Dir }

func (t blobTaker) take(ctx context.Context, l letter) (whole, answer time.Duration, err error) {
	start := time.Now()
	_, _, err = t.d.Put(ctx, l.reader(), 1<<30)
	d := time.Since(start)
	return d, d, err
}

func (blobTaker) Close() error { return nil }

// sink answers 250 and keeps nothing.
type sink struct{}

func (sink) Mail(string, *smtp.MailOptions) error { return nil }
func (sink) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (sink) Reset()                               {}
func (sink) Logout() error                        { return nil }
func (sink) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// startSink serves a sink.
func startSink() (addr string, stop func() error, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return sink{}, nil }))
	s.Domain, s.MaxMessageBytes = "sink.example.org", 36_000_000
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	return l.Addr().String(), func() error {
		err := s.Close()
		if e := <-ended; !errors.Is(e, smtp.ErrServerClosed) {
			err = errors.Join(err, e)
		}
		return err
	}, nil
}

// measureMail lets mail come to the built program, to what bounds it and to
// Postfix, each in its turn.
func measureMail(ctx context.Context, o options, rep *report) (err error) {
	dir, err := temporary()
	if err != nil {
		return err
	}
	undo := []func() error{func() error {
		if o.keep {
			o.progress("logs are in %s", dir)
			return nil
		}
		return os.RemoveAll(dir)
	}}
	defer func() {
		for i := range undo {
			err = errors.Join(err, undo[len(undo)-1-i]())
		}
	}()
	db, err := startRedis(ctx, dir)
	if err != nil {
		return err
	}
	undo = append(undo, db.stop)
	r, err := newRig(ctx, dir, 1, 1)
	if err != nil {
		return err
	}
	undo = append(undo, r.close)
	program := o.program
	if program == "" {
		o.progress("building c3i")
		if program, err = build(ctx, dir); err != nil {
			return err
		}
	}
	c, err := startC3i(ctx, program, r, db, 0, "--mail.smtp_listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	undo = append(undo, c.stop)
	m := &mailBench{o: o, db: db, c: c, sizes: mailSizes(o)}
	systems, stop, err := m.systems(dir)
	undo = append(undo, stop)
	if err != nil {
		return err
	}
	if err := m.taking(ctx, systems); err != nil {
		return err
	}
	if err := m.fsync(ctx, "everysec"); err != nil {
		return err
	}
	if err := m.filing(ctx); err != nil {
		return err
	}
	err = m.ledger(ctx)
	rep.Mail = &m.f
	return err
}

// mailBench is the part under way.
type mailBench struct {
	o     options
	db    *redisServer
	c     *c3i
	sizes []mailSize
	f     mailFigures

	mu       sync.Mutex
	sent     int // letters made so far
	answered int // of those to C3i
}

func (m *mailBench) fsync(ctx context.Context, when string) error {
	return m.db.client.ConfigSet(ctx, "appendfsync", when).Err()
}

// systems starts those compared.
func (m *mailBench) systems(dir string) (list []mailSystem, stop func() error, err error) {
	var undo []func() error
	stop = func() error {
		var err error
		for i := range undo {
			err = errors.Join(err, undo[len(undo)-1-i]())
		}
		return err
	}
	addr, end, err := startSink()
	if err != nil {
		return nil, stop, err
	}
	undo = append(undo, end)
	files, err := os.MkdirTemp(dir, "files-")
	if err != nil {
		return nil, stop, err
	}
	blobs, err := blob.OpenDir(filepath.Join(dir, "blobs"), blob.Options{})
	if err != nil {
		return nil, stop, err
	}
	undo = append(undo, blobs.Close)
	list = []mailSystem{
		{name: "C3i", c3i: true, open: dialSMTP(m.c.smtp), prepare: func(ctx context.Context) error { return m.fsync(ctx, "everysec") }},
		{name: "C3i, fsync always", c3i: true, open: dialSMTP(m.c.smtp), prepare: func(ctx context.Context) error { return m.fsync(ctx, "always") }},
		{name: "SMTP sink, keeps nothing", open: dialSMTP(addr)},
		{name: "a file, fsync each", open: func() (taker, error) {
			f, err := os.CreateTemp(files, "mails-")
			return fileTaker{f}, err
		}},
		{name: "C3i's blob folder alone", open: func() (taker, error) { return blobTaker{blobs}, nil }},
	}
	p, err := startPostfix()
	if err != nil {
		m.o.progress("no Postfix to compare with: %v", err)
		return list, stop, nil
	}
	undo = append(undo, p.close)
	return append(list, mailSystem{name: "Postfix, into its queue", open: dialSMTP(p.SMTP)}), stop, nil
}

// taking sends every size to every system, in rounds.
func (m *mailBench) taking(ctx context.Context, systems []mailSystem) error {
	for _, size := range m.sizes {
		for _, conns := range []int{1, m.o.mailConnections} {
			figures := make([]mailFigure, len(systems))
			for i, s := range systems {
				figures[i] = mailFigure{System: s.name, Size: size.name, Bytes: len(size.body), Connections: conns}
			}
			for round := range m.o.mailRounds {
				for turn := range systems {
					i := (round + turn) % len(systems)
					n := share(size.count, m.o.mailRounds, round)
					m.o.progress("mail: %s, %d at a time, %s, round %d of %d: %d mails", size.name, conns, systems[i].name, round+1, m.o.mailRounds, n)
					if err := m.once(ctx, systems[i], size, conns, n, &figures[i]); err != nil {
						return fmt.Errorf("%s: %w", systems[i].name, err)
					}
				}
			}
			for i := range figures {
				figures[i].finish()
			}
			m.f.Taking = append(m.f.Taking, figures...)
		}
	}
	return nil
}

func (m *mailBench) next(size mailSize) letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent++
	return size.letter(m.sent)
}

// once sends n mails over some connections, and waits until C3i has filed its own.
func (m *mailBench) once(ctx context.Context, s mailSystem, size mailSize, conns, n int, to *mailFigure) error {
	if s.prepare != nil {
		if err := s.prepare(ctx); err != nil {
			return err
		}
	}
	takers := make([]taker, 0, conns)
	defer func() {
		for _, t := range takers {
			_ = t.Close()
		}
	}()
	for range conns {
		t, err := s.open()
		if t != nil {
			takers = append(takers, t)
		}
		if err != nil {
			return err
		}
	}
	before, err := m.busy()
	if err != nil {
		return err
	}
	free := make(chan taker, conns)
	for _, t := range takers {
		free <- t
	}
	start := time.Now()
	err = eachOf(ctx, n, conns, func(int) error {
		t := <-free
		defer func() { free <- t }()
		whole, answer, err := t.take(ctx, m.next(size))
		m.mu.Lock()
		defer m.mu.Unlock()
		if err != nil {
			return err
		}
		if to.whole, to.answer = append(to.whole, whole), append(to.answer, answer); s.c3i {
			m.answered++
		}
		return nil
	})
	to.took += time.Since(start)
	if err != nil || !s.c3i {
		return err
	}
	if err := m.drained(ctx); err != nil {
		return err
	}
	to.filing += time.Since(start)
	after, err := m.busy()
	to.busyController += after[0] - before[0]
	to.busyRedis += after[1] - before[1]
	return err
}

func (m *mailBench) busy() (p [2]time.Duration, err error) {
	if p[0], err = measure.CPU(m.c.controller); err == nil {
		p[1], err = measure.CPU(m.db.pid())
	}
	return p, err
}

// drained waits until every mail is filed and every receipt sent.
func (m *mailBench) drained(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	box := inbox.New(inbox.Options{Redis: m.db.client})
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		in, err := box.Pending(ctx, inbox.Email)
		if err != nil {
			return err
		}
		out, err := box.Pending(ctx, inbox.Sending)
		if err != nil {
			return err
		}
		if in.Pending+out.Pending == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d mails are not filed and %d receipts not sent: %w", in.Pending, out.Pending, ctx.Err())
		}
	}
}

func (f *mailFigure) finish() {
	f.Count = len(f.whole)
	f.Whole, f.Answer = measure.Summarise(f.whole), measure.Summarise(f.answer)
	n := float64(max(f.Count, 1))
	f.PerSecond = n / f.took.Seconds()
	if f.filing > 0 {
		f.Filed = n / f.filing.Seconds()
	}
	f.C3i, f.Redis = measure.Milliseconds(f.busyController)/n, measure.Milliseconds(f.busyRedis)/n
}

// filing sends mails one at a time and watches when each is filed: Redis tells of
// every change of an item.
func (m *mailBench) filing(ctx context.Context) error {
	if err := m.db.client.ConfigSet(ctx, "notify-keyspace-events", "Kh").Err(); err != nil {
		return err
	}
	const channel = "__keyspace@0__:"
	sub := m.db.client.PSubscribe(ctx, channel+"{in:*")
	defer func() { _ = sub.Close() }()
	if _, err := sub.Receive(ctx); err != nil {
		return err
	}
	type event struct {
		key string
		at  time.Time
	}
	events := make(chan event, 1000)
	go func() {
		defer close(events)
		for e := range sub.Channel() {
			if e.Payload == "hset" {
				events <- event{strings.TrimPrefix(e.Channel, channel), time.Now()}
			}
		}
	}()
	// An item is set when it is accepted, and again when it is done.
	done := func(answered time.Time) (time.Duration, error) {
		late := time.NewTimer(30 * time.Second)
		defer late.Stop()
		for {
			select {
			case e, open := <-events:
				if !open {
					return 0, errors.New("Redis tells no more")
				}
				got, err := m.db.client.HMGet(ctx, e.key, "state", "item").Result()
				if err != nil {
					return 0, err
				}
				item, _ := got[1].(string)
				if got[0] == "done" && strings.Contains(item, `"kind":"email"`) && e.at.After(answered.Add(-time.Second)) {
					return max(0, e.at.Sub(answered)), nil
				}
			case <-late.C:
				return 0, errors.New("a mail was not filed within 30 s")
			case <-ctx.Done():
				return 0, context.Cause(ctx)
			}
		}
	}
	for _, size := range m.sizes {
		m.o.progress("mail: %s, one after the other, until each is filed", size.name)
		t, err := dialSMTP(m.c.smtp)()
		if err != nil {
			return err
		}
		var taking, times []time.Duration
		for range min(size.count, 100) {
			if err = m.drained(ctx); err != nil {
				break
			}
			for len(events) > 0 {
				<-events
			}
			var whole, d time.Duration
			if whole, _, err = t.take(ctx, m.next(size)); err != nil {
				break
			}
			m.answered++
			taking = append(taking, whole)
			if d, err = done(time.Now()); err != nil {
				break
			}
			times = append(times, d)
		}
		if err = errors.Join(err, t.Close()); err != nil {
			return err
		}
		m.f.Filing = append(m.f.Filing, filedFigure{size.name, measure.Summarise(taking), measure.Summarise(times)})
	}
	return m.drained(ctx)
}

// ledger counts what C3i keeps of what it answered 250 to.
func (m *mailBench) ledger(ctx context.Context) error {
	l := &m.f.Ledger
	l.Answered = m.answered
	each := func(pattern string, fields []string, see func(values []any)) error {
		for cursor := uint64(0); ; {
			keys, next, err := m.db.client.Scan(ctx, cursor, pattern, 1000).Result()
			if err != nil {
				return err
			}
			got := make([]*redis.SliceCmd, len(keys))
			_, err = m.db.client.Pipelined(ctx, func(p redis.Pipeliner) error {
				for i, k := range keys {
					got[i] = p.HMGet(ctx, k, fields...)
				}
				return nil
			})
			if err != nil {
				return err
			}
			for _, g := range got {
				see(g.Val())
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	}
	// Nothing is written meanwhile and no key is seen twice: the table does not shrink.
	err := each("{in:*}", []string{"item", "state"}, func(v []any) {
		var it inbox.Item
		text, _ := v[0].(string)
		if json.Unmarshal([]byte(text), &it) != nil || it.Kind != inbox.Email {
			return
		}
		l.Items++
		if v[1] == "done" {
			l.Filed++
		}
	})
	if err != nil {
		return err
	}
	err = each("{c:*}", []string{"channel"}, func(v []any) {
		if v[0] == "email" {
			l.Contacts++
		}
	})
	if err != nil {
		return err
	}
	if l.Items != l.Answered || l.Filed != l.Answered || l.Contacts != l.Answered {
		m.f.Faults = append(m.f.Faults, fmt.Sprintf("%d mails were answered 250; the inbox has %d, %d are filed, and there are %d contacts", l.Answered, l.Items, l.Filed, l.Contacts))
	}
	return nil
}

// judge puts figures beside the goals: as fast as Postfix, which does not file what
// it takes, and never a wait that a sender would notice.
func (f *mailFigures) judge(r *report) {
	type row struct {
		size  string
		conns int
	}
	limit := map[row]float64{}
	for _, t := range f.Taking {
		if strings.HasPrefix(t.System, "Postfix") {
			limit[row{t.Size, t.Connections}] = t.PerSecond
		}
	}
	for _, t := range f.Taking {
		if t.System != "C3i" {
			continue
		}
		name := fmt.Sprintf("%s, %d at a time", t.Size, t.Connections)
		if p := limit[row{t.Size, t.Connections}]; p > 0 {
			r.expect("g", name+": mails a second, C3i to Postfix", t.PerSecond/p, 1, true, "×")
		}
		r.expect("g", name+": p99 from the last byte to 250", t.Answer.P99, 1000, false, "ms")
	}
	for _, t := range f.Filing {
		r.expect("g", t.Size+": p99 from 250 to routing's hands", t.Time.P99, 1000, false, "ms")
	}
}

func (f *mailFigures) print(out io.Writer) {
	fmt.Fprint(out, "\n(g) Mail, ms\n\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "mail\tat a time\tsystem\tmails\tper s\tMB/s\tMAIL to 250 median\tp99\tlast byte to 250 median\tp99\tfiled per s\tCPU ms/mail: C3i\tRedis\t")
	for _, t := range f.Taking {
		filed := "-"
		if t.Filed > 0 {
			filed = fmt.Sprintf("%.0f", t.Filed)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%.0f\t%.1f\t%.2f\t%.2f\t%.2f\t%.2f\t%s\t%s\t%s\t\n", t.Size, t.Connections, t.System, t.Count, t.PerSecond,
			t.PerSecond*float64(t.Bytes)/1e6, t.Whole.Median, t.Whole.P99, t.Answer.Median, t.Answer.P99, filed, some(t.C3i), some(t.Redis))
	}
	_ = w.Flush()
	fmt.Fprintln(out)
	w = tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "C3i, a mail that comes alone\tcount\tMAIL to 250 median\tp99\t250 to routing's hands median\tp90\tp99\tmax\t")
	for _, t := range f.Filing {
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", t.Size, t.Time.Count, t.Taking.Median, t.Taking.P99, t.Time.Median, t.Time.P90, t.Time.P99, t.Time.Max)
	}
	_ = w.Flush()
	fmt.Fprintf(out, "\n%d mails answered 250; %d in the inbox, %d filed, %d contacts.\n", f.Ledger.Answered, f.Ledger.Items, f.Ledger.Filed, f.Ledger.Contacts)
}

// postfix is a private Postfix.
type postfix struct {
	*mailserver.Postfix
	close func() error
}

// started is what a mail server is started for outside a test.
type started struct {
	errs     []error
	cleanups []func()
}

// giveUp ends the start of a mail server.
type giveUp struct{ error }

func (s *started) Helper()                   {}
func (s *started) Cleanup(f func())          { s.cleanups = append(s.cleanups, f) }
func (s *started) Skip(v ...any)             { s.Fatal(v...) }
func (s *started) Errorf(f string, v ...any) { s.errs = append(s.errs, fmt.Errorf(f, v...)) } //nolint:err113 // handed on
func (s *started) Fatal(v ...any)            { panic(giveUp{errors.New(strings.TrimSpace(fmt.Sprintln(v...)))}) }
func (s *started) Fatalf(f string, v ...any) { panic(giveUp{fmt.Errorf(f, v...)}) } //nolint:err113 // handed on
func (s *started) close() (err error) {
	defer func() {
		if g, is := recover().(giveUp); is {
			err = errors.Join(append(s.errs, g.error)...)
		}
	}()
	for i := range s.cleanups {
		s.cleanups[len(s.cleanups)-1-i]()
	}
	return errors.Join(s.errs...)
}

// startPostfix starts a Postfix that takes mail into its queue and then discards
// it; an error tells why there is none.
func startPostfix() (_ *postfix, err error) {
	s := &started{}
	defer func() {
		if p := recover(); p != nil {
			g, is := p.(giveUp)
			if !is {
				panic(p)
			}
			err = errors.Join(g.error, s.close())
		}
	}()
	if _, err := os.Stat("/usr/sbin/postfix"); err != nil {
		return nil, err
	}
	return &postfix{mailserver.StartPostfixDiscarding(s, mailDomain), s.close}, nil
}
