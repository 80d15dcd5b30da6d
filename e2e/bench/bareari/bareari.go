// Package bareari is the least program that does what a contact centre's
// controller must do over ARI: take a call, ring the phone that has been idle
// longest, join both, and give the phone the next call when it is free. It knows
// no callers, skills or rules, keeps no record, and survives nothing. It is the
// limit that benchmarks compare with.
package bareari

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// Options say where Asterisk is and whom to ring.
type Options struct {
	// URL is ARI's address without a slash at the end: http://127.0.0.1:8088/ari.
	URL            string
	User, Password string
	// App is the Stasis application; calls must enter it with the argument
	// "inbound".
	App string
	// Phones are dial strings.
	Phones []string
	// Ready, if set, is called once calls can come.
	Ready func() `json:"-"`
	// Fault, if set, is called with what went wrong but did not end the program.
	Fault func(error) `json:"-"`
}

// connections bounds those to ARI's HTTP server.
const connections = 64

// program is the state, owned by the goroutine that runs Run.
type program struct {
	o    Options
	ctx  context.Context
	http *http.Client

	idle    []string // dial strings, longest idle first
	waiting []string // callers' channels, first come first
	calls   map[string]*call
	legs    map[string]*call
	next    int
}

type call struct {
	caller, leg, phone string
	answered           bool
	over               bool
}

type event struct {
	Type    string   `json:"type"`
	Args    []string `json:"args"`
	Channel struct {
		ID     string `json:"id"`
		Caller struct {
			Number string `json:"number"`
		} `json:"caller"`
	} `json:"channel"`
}

// Run works until ctx ends, which is no error, or the event stream does.
func Run(ctx context.Context, o Options) error {
	transport := &http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections, IdleConnTimeout: 10 * time.Second}
	defer transport.CloseIdleConnections()
	// Commands that are under way when Run ends are given up.
	running, stop := context.WithCancel(ctx)
	defer stop()
	p := &program{
		o: o, ctx: running, http: &http.Client{Transport: transport, Timeout: 10 * time.Second},
		idle: append([]string(nil), o.Phones...), calls: map[string]*call{}, legs: map[string]*call{},
	}
	header := http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(o.User+":"+o.Password))}}
	ws, resp, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(o.URL, "http")+"/events?app="+url.QueryEscape(o.App), header)
	if err != nil {
		return fmt.Errorf("connect to ARI's events: %w", err)
	}
	_ = resp.Body.Close()
	over := context.AfterFunc(ctx, func() { _ = ws.Close() })
	defer func() {
		over()
		_ = ws.Close()
	}()
	if o.Ready != nil {
		o.Ready()
	}
	for {
		_, frame, err := ws.ReadMessage()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("read ARI's events: %w", err)
		}
		var ev event
		if err := json.Unmarshal(frame, &ev); err != nil {
			p.fault(fmt.Errorf("an event cannot be read: %w", err))
			continue
		}
		p.take(ev)
	}
}

func (p *program) take(ev event) {
	id := ev.Channel.ID
	switch ev.Type {
	case "StasisStart":
		if len(ev.Args) > 0 && ev.Args[0] == "inbound" {
			p.arrived(id, ev.Channel.Caller.Number)
		} else if c := p.legs[id]; c != nil {
			p.answered(c)
		}
	case "ChannelHangupRequest", "StasisEnd", "ChannelDestroyed":
		if c := p.legs[id]; c != nil {
			p.ended(c)
		} else if c := p.calls[id]; c != nil {
			p.callerGone(c)
		}
	}
}

func (p *program) arrived(caller, number string) {
	c := &call{caller: caller}
	p.calls[caller] = c
	if len(p.idle) > 0 {
		p.ring(c, number)
		p.do(false, request{http.MethodPost, "/channels/" + caller + "/answer", nil})
		return
	}
	p.waiting = append(p.waiting, caller+" "+number)
	p.do(false,
		request{http.MethodPost, "/channels/" + caller + "/answer", nil},
		request{http.MethodPost, "/channels/" + caller + "/moh", nil})
}

func (p *program) ring(c *call, number string) {
	c.phone, p.idle = p.idle[0], p.idle[1:]
	p.next++
	c.leg = "bare-leg-" + strconv.Itoa(p.next)
	p.legs[c.leg] = c
	p.do(true, request{http.MethodPost, "/channels/" + c.leg, url.Values{
		"endpoint": {c.phone}, "app": {p.o.App}, "appArgs": {"leg"}, "callerId": {number}, "timeout": {"30"},
	}})
}

func (p *program) answered(c *call) {
	if c.answered {
		return
	}
	c.answered = true
	b := "bare-" + c.leg
	p.do(true,
		request{http.MethodPost, "/bridges/" + b, url.Values{"type": {"mixing"}}},
		request{http.MethodPost, "/bridges/" + b + "/addChannel", url.Values{"channel": {c.caller + "," + c.leg}}})
}

// ended frees the phone at the first sign that its call is over.
func (p *program) ended(c *call) {
	delete(p.legs, c.leg)
	p.idle = append(p.idle, c.phone)
	for len(p.waiting) > 0 && len(p.idle) > 0 {
		caller, number, _ := strings.Cut(p.waiting[0], " ")
		p.waiting = p.waiting[1:]
		if next := p.calls[caller]; next != nil {
			p.ring(next, number)
		}
	}
	if c.over {
		return
	}
	c.over = true
	delete(p.calls, c.caller)
	clean := []request{{http.MethodDelete, "/channels/" + c.caller, nil}}
	if c.answered {
		clean = append(clean, request{http.MethodDelete, "/bridges/bare-" + c.leg, nil})
	}
	p.do(false, clean...)
}

func (p *program) callerGone(c *call) {
	delete(p.calls, c.caller)
	if c.over || c.leg == "" {
		return
	}
	c.over = true
	clean := []request{{http.MethodDelete, "/channels/" + c.leg, nil}}
	if c.answered {
		clean = append(clean, request{http.MethodDelete, "/bridges/bare-" + c.leg, nil})
	}
	p.do(false, clean...)
}

type request struct {
	method, path string
	query        url.Values
}

// do sends requests one after another beside the reading of events. Where must is
// not set, what has gone already is no fault.
func (p *program) do(must bool, requests ...request) {
	go func() {
		for _, r := range requests {
			err := p.send(r, must)
			if err != nil && p.ctx.Err() == nil {
				p.fault(err)
				return
			}
		}
	}()
}

func (p *program) send(r request, must bool) error {
	target := p.o.URL + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(p.ctx, r.method, target, nil)
	if err != nil {
		return err
	}
	req.SetBasicAuth(p.o.User, p.o.Password)
	resp, err := p.http.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	err = errors.Join(err, resp.Body.Close())
	gone := resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusConflict
	if resp.StatusCode/100 != 2 && (must || !gone) {
		return fmt.Errorf("%s %s: ARI answered %s", r.method, r.path, resp.Status)
	}
	return err
}

func (p *program) fault(err error) {
	if p.o.Fault != nil {
		p.o.Fault(err)
	}
}
