package sipphone_test

import (
	"testing"

	"example.org/c3i/e2e/sipphone"
)

func TestCallerIdentity(t *testing.T) {
	type party = sipphone.Party
	tests := []struct {
		name     string
		options  sipphone.CallOptions
		from     party
		asserted *party
		withheld bool
		privacy  string
	}{
		{"number", sipphone.CallOptions{From: "02079460123"}, party{User: "02079460123", Host: "127.0.0.1"}, nil, false, ""},
		{
			"number and name",
			sipphone.CallOptions{From: "+447700900123", DisplayName: "Ada Example"},
			party{"Ada Example", "+447700900123", "127.0.0.1"},
			nil, false, "",
		},
		{
			"a name that quotes",
			sipphone.CallOptions{From: "101", DisplayName: `A "B" \ C`},
			party{`A \"B\" \\ C`, "101", "127.0.0.1"},
			nil, false, "",
		},
		{
			"asserted",
			sipphone.CallOptions{From: "trunk", FromHost: "example.org", Asserted: "02079460123"},
			party{User: "trunk", Host: "example.org"},
			&party{User: "02079460123", Host: "example.org"}, false, "",
		},
		{
			"withheld",
			sipphone.CallOptions{From: "02079460123", Withheld: true},
			party{"Anonymous", "anonymous", "anonymous.invalid"},
			nil, true, "id",
		},
		{
			"withheld but asserted by a trunk",
			sipphone.CallOptions{From: "02079460123", Asserted: "02079460123", Withheld: true},
			party{"Anonymous", "anonymous", "anonymous.invalid"},
			&party{User: "02079460123", Host: "127.0.0.1"}, true, "id",
		},
		{"nothing said", sipphone.CallOptions{}, party{User: "phone", Host: "127.0.0.1"}, nil, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.options.Headers = []sipphone.Header{{Name: "X-Test", Value: "one; two"}}
			p := ring(t, tt.options)
			in := p.callee
			if in.ToUser != "101" {
				t.Errorf("called user %q, want 101", in.ToUser)
			}
			if in.From != tt.from {
				t.Errorf("from %+v, want %+v", in.From, tt.from)
			}
			if (in.Asserted == nil) != (tt.asserted == nil) || in.Asserted != nil && *in.Asserted != *tt.asserted {
				t.Errorf("asserted %+v, want %+v", in.Asserted, tt.asserted)
			}
			if in.Withheld != tt.withheld || in.Header("Privacy") != tt.privacy {
				t.Errorf("withheld %v with Privacy %q, want %v with %q", in.Withheld, in.Header("Privacy"), tt.withheld, tt.privacy)
			}
			if in.Header("X-Test") != "one; two" || in.Header("X-None") != "" {
				t.Errorf("headers X-Test %q, X-None %q", in.Header("X-Test"), in.Header("X-None"))
			}
		})
	}
}

func TestBadInputNamesTheField(t *testing.T) {
	ctx, p := testContext(t), mustListen(t, sipphone.Options{})
	q := connect(t)
	call := func(target string, o sipphone.CallOptions) error {
		_, err := p.Call(ctx, target, o)
		return err
	}
	register := func(a sipphone.Account) error {
		_, err := p.Register(ctx, a)
		return err
	}
	listen := func(o sipphone.Options) error {
		_, err := sipphone.Listen(ctx, o)
		return err
	}
	good := p.URI("101")
	tests := []struct {
		name  string
		err   error
		field string
	}{
		{"no target", call("", sipphone.CallOptions{}), "target"},
		{"a telephone number is not a SIP URI", call("02079460123", sipphone.CallOptions{}), "target"},
		{"encrypted", call("sips:101@127.0.0.1", sipphone.CallOptions{}), "target"},
		{"line break in target", call("sip:101@127.0.0.1\r\nX: y", sipphone.CallOptions{}), "target"},
		{"line break in From", call(good, sipphone.CallOptions{From: "1\r\nX: y"}), "From"},
		{"From breaks out of its URI", call(good, sipphone.CallOptions{From: "1>;tag=x"}), "From"},
		{"From names a host", call(good, sipphone.CallOptions{From: "1@example.org"}), "From"},
		{"bad FromHost", call(good, sipphone.CallOptions{FromHost: "a b>"}), "FromHost"},
		{"bad Asserted", call(good, sipphone.CallOptions{Asserted: "1 2"}), "Asserted"},
		{"line break in name", call(good, sipphone.CallOptions{DisplayName: "A\nB"}), "DisplayName"},
		{"line break in header", call(good, sipphone.CallOptions{Headers: []sipphone.Header{{Name: "X-Y", Value: "1\r\nX: y"}}}), "X-Y"},
		{"header name with colon", call(good, sipphone.CallOptions{Headers: []sipphone.Header{{Name: "X:Y", Value: "1"}}}), "X:Y"},
		{"header without name", call(good, sipphone.CallOptions{Headers: []sipphone.Header{{Value: "1"}}}), "Headers"},
		{"register nobody", register(sipphone.Account{Registrar: "sip:127.0.0.1:5060"}), "User"},
		{"register nowhere", register(sipphone.Account{User: "a"}), "Registrar"},
		{"register for less than nothing", register(sipphone.Account{User: "a", Registrar: "sip:127.0.0.1", Expires: -1}), "Expires"},
		{"bind everywhere", listen(sipphone.Options{BindAddr: "0.0.0.0:0"}), "BindAddr"},
		{"bind a name", listen(sipphone.Options{BindAddr: "localhost:0"}), "BindAddr"},
		{"unknown codec", listen(sipphone.Options{Codecs: []sipphone.Codec{sipphone.PCMU, 9}}), "Codecs[1]"},
		{"line break in user agent", listen(sipphone.Options{UserAgent: "a\r\nb"}), "UserAgent"},
		{"no hertz", q.caller.SendTone(0), "hz"},
		{"above Nyquist", q.caller.WaitTone(ctx, 4000, 0), "hz"},
		{"no digits", q.caller.SendDigits(ctx, "", sipphone.DigitOptions{}), "digits"},
		{"letter", q.caller.SendDigits(ctx, "12x", sipphone.DigitOptions{}), "digits[2]"},
		{"long press", q.caller.SendDigits(ctx, "1", sipphone.DigitOptions{On: patience}), "On"},
		{"hold how", q.caller.Hold(ctx, "softly"), "mode"},
		{"reject with success", q.callee.Reject(200), "status"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantCode(t, tt.err, sipphone.CodeBadInput)
			if !contains(tt.err.Error(), tt.field) {
				t.Errorf("error %q does not name %s", tt.err, tt.field)
			}
		})
	}
	if p.Calls() != 0 {
		t.Errorf("%d calls are left", p.Calls())
	}
}
