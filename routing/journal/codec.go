package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"example.org/c3i/routing"
)

// Compile turns a published plan's source into the plan, as plan.Load does.
type Compile func(version int, source string) (*routing.Plan, error)

// DecodeError says why a record could not be read.
type DecodeError struct {
	// Code is "unknown_kind", "bad_event" or "bad_plan".
	Code string
	Kind string
	Err  error
}

// Error tells kind and cause.
func (e *DecodeError) Error() string {
	if e.Code == "unknown_kind" {
		return fmt.Sprintf("journal: event kind %q is not known to this version", e.Kind)
	}
	return fmt.Sprintf("journal: event %s cannot be read: %v", e.Kind, e.Err)
}

// Unwrap gives the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

// Encode gives an event's kind and JSON.
func Encode(ev routing.Event) (kind string, data json.RawMessage, err error) {
	if ev == nil {
		return "", nil, errors.New("journal: no event given")
	}
	data, err = json.Marshal(ev)
	if err != nil {
		return "", nil, fmt.Errorf("journal: encode %s: %w", ev.Kind(), err)
	}
	if _, known := decoders[ev.Kind()]; !known {
		return "", nil, &DecodeError{Code: "unknown_kind", Kind: ev.Kind()}
	}
	return ev.Kind(), data, nil
}

// Decode reads an event strictly: an unknown kind or field, a wrong type or
// anything after the event is a *DecodeError, because stepping something else
// than what happened would be worse than stopping. A plan is compiled from its
// source by compile.
func Decode(kind string, data []byte, compile Compile) (routing.Event, error) {
	decode, known := decoders[kind]
	if !known {
		return nil, &DecodeError{Code: "unknown_kind", Kind: kind}
	}
	ev, err := decode(data)
	if err != nil {
		return nil, &DecodeError{Code: "bad_event", Kind: kind, Err: err}
	}
	if published, is := ev.(routing.PlanPublished); is {
		if compile == nil {
			return nil, &DecodeError{Code: "bad_plan", Kind: kind, Err: errors.New("no plan compiler given")}
		}
		published.Plan, err = compile(published.Version, published.Source)
		if err == nil && published.Plan == nil {
			err = errors.New("the compiler gave no plan")
		}
		if err != nil {
			return nil, &DecodeError{Code: "bad_plan", Kind: kind, Err: err}
		}
		return published, nil
	}
	return ev, nil
}

var decoders = map[string]func([]byte) (routing.Event, error){}

func init() {
	register[routing.Tick]()
	register[routing.PlanPublished]()
	register[routing.SurgeSwitched]()
	register[routing.HoursChanged]()
	register[routing.AgentSignedOn]()
	register[routing.AgentReady]()
	register[routing.AgentNotReady]()
	register[routing.AgentSignedOff]()
	register[routing.AgentPresence]()
	register[routing.DeviceChanged]()
	register[routing.ContactArrived]()
	register[routing.OfferAccepted]()
	register[routing.OfferDeclined]()
	register[routing.OfferFailed]()
	register[routing.Connected]()
	register[routing.ConnectFailed]()
	register[routing.ContactReleased]()
	register[routing.CallbackAsked]()
	register[routing.CallbackFailed]()
	register[routing.CallbackHoursChanged]()
	register[routing.WrapUpDone]()
	register[routing.WrapUpExtended]()
	register[routing.ControlAsked]()
	register[routing.ControlDone]()
	register[routing.ContactParked]()
	register[routing.ContactResumed]()
	register[routing.ContactForwarded]()
	register[routing.MessageJoined]()
}

func register[E routing.Event]() {
	var zero E
	decoders[zero.Kind()] = func(data []byte) (routing.Event, error) {
		var ev E
		err := strict(data, &ev)
		return ev, err
	}
}

// strict decodes exactly one JSON object and refuses fields it does not know.
func strict(data []byte, into any) error {
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return errors.New("not a JSON object")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the event")
	}
	return nil
}
