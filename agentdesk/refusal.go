package agentdesk

import (
	"context"
	"fmt"

	"example.org/c3i/routing"
)

// refusals puts the engine's refusal codes into words for the handler.
var refusals = map[string]string{
	routing.RefusedEvent:         "The system does not know that request.",
	routing.RefusedNoPlan:        "No routing plan is in force yet, so nobody can take contacts. Tell your manager.",
	routing.RefusedPlan:          "The routing plan cannot be used. Tell your manager.",
	routing.RefusedQueue:         "The routing plan has no such queue.",
	routing.RefusedChannel:       "That kind of contact is not known.",
	routing.RefusedProfile:       "The routing plan does not know your profile, so you cannot be given contacts. Tell your manager.",
	routing.RefusedAgent:         "You are not signed on for contacts at the moment. Wait a few seconds and try again.",
	routing.RefusedAgentID:       "You are not signed on for contacts at the moment. Wait a few seconds and try again.",
	routing.RefusedNoChange:      "It is so already.",
	routing.RefusedContactID:     "Say which contact.",
	routing.RefusedDuplicate:     "That contact is here already.",
	routing.RefusedContact:       "That contact is not known any more.",
	routing.RefusedContactEnded:  "That contact has ended.",
	routing.RefusedOffer:         "That contact is no longer offered to you.",
	routing.RefusedNotYours:      "That contact is not in your hands.",
	routing.RefusedPhase:         "That cannot be done at this point of the contact.",
	routing.RefusedNotCall:       "That contact is not a call.",
	routing.RefusedNotWritten:    "That contact is a call. Only what was written can be accepted, parked or forwarded here.",
	routing.RefusedUnseen:        "Another message has just come in. Read it before you finish.",
	routing.RefusedVerb:          "The system does not know that call control.",
	routing.RefusedDigits:        "Give 1 to 32 keys: 0-9, *, #, A-D.",
	routing.RefusedExtended:      "Wrap-up was extended once already.",
	routing.RefusedNoExtension:   "The routing plan allows no more wrap-up time.",
	routing.RefusedControlFailed: "The telephone system could not do that. The call is as it was.",
}

// refusal turns an engine's code into an Error.
func refusal(code string) *Error {
	text, known := refusals[code]
	if !known {
		text = "That could not be done: things have changed since. Look at the desk and try again."
	}
	return &Error{Code: code, Message: text}
}

// submit sends an event to routing and picks out its refusal, if it was refused.
func (s *Server) submit(ctx context.Context, ev routing.Event) (*routing.Refused, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.RequestTimeout)
	defer cancel()
	actions, err := s.o.Router.SubmitWait(ctx, ev)
	if err != nil {
		return nil, fmt.Errorf("submit %s: %w", ev.Kind(), err)
	}
	for _, a := range actions {
		if r, is := a.(routing.Refused); is && r.Event == ev.Kind() {
			return &r, nil
		}
	}
	return nil, nil
}

// ask is submit for a handler's request: a refusal is an error in words.
func (s *Server) ask(ctx context.Context, ev routing.Event) error {
	refused, err := s.submit(ctx, ev)
	if err != nil {
		return err
	}
	if refused != nil && refused.Code != routing.RefusedNoChange { // asked twice is asked once
		return refusal(refused.Code)
	}
	return nil
}
