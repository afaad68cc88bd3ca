/* SPDX-License-Identifier: MIT */
#include "conform/finding.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/utf8.h"

static const struct {
	const char *name, *text;
} faults[WT_FAULT_COUNT] = {
	[WT_FAULT_NONE] = { "none", "nothing is wrong" },
	[WT_FAULT_HUNG] = { "hung", "it did not come back" },
	[WT_FAULT_ENDED] = { "ended", "it ended the process" },
	[WT_FAULT_PAST_BUFFER] = { "past-buffer", "it touches memory past a buffer" },
	[WT_FAULT_CRASHED] = { "crashed", "it crashed" },
	[WT_FAULT_OVERRUN] = { "overrun", "it writes outside of its output" },
	[WT_FAULT_OUTSIDE] = { "outside", "it writes outside of a record and its headroom" },
	[WT_FAULT_REPORT_LATE] = { "report-late", "it reports a connection after its close()" },
	[WT_FAULT_REPORT_INSIDE] = { "report-inside",
				     "it reports inside of a call what comes later than it" },
	[WT_FAULT_SLOT_TWICE] = { "slot-twice", "a packet buffer is given back twice" },
	[WT_FAULT_END_TWICE] = { "end-twice", "how a connection went is reported twice" },
	[WT_FAULT_WRITABLE_TWICE] = { "writable-twice",
				      "link_writable is reported more than once" },
	[WT_FAULT_INPUT_WRITTEN] = { "input-written", "it writes to its input" },
	[WT_FAULT_OUTPUT] = { "output", "it changes what is the caller's in its output" },
	[WT_FAULT_STRANGER] = { "stranger", "a stranger is believed" },
	[WT_FAULT_FORGERY] = { "forgery", "a changed message is believed" },
	[WT_FAULT_REPLAY] = { "replay", "an old message is believed" },
	[WT_FAULT_BOTH_DIAL] = { "both-dial", "an end that dials a peer accepts it, too" },
	[WT_FAULT_TOKEN] = { "token", "a token is good where it was not given" },
	[WT_FAULT_STATE] = { "state", "a message out of its place has an effect" },
	[WT_FAULT_PENDING] = { "pending", "an answer that it puts off never comes" },
	[WT_FAULT_BLOCKS] = { "blocks", "a call waits" },
	[WT_FAULT_CLOCK] = { "clock", "a wrong clock shuts a peer out for longer" },
	[WT_FAULT_AMPLIFIES] = { "amplifies", "a stranger is sent more than it sent" },
	[WT_FAULT_TOLD] = { "told", "the log is told a secret, or bytes of a message" },
	[WT_FAULT_NO_AGREEMENT] = { "no-agreement", "two honest ends do not come to terms" },
	[WT_FAULT_TAG_UNCHECKED] = { "tag-unchecked", "the tag is not checked" },
	[WT_FAULT_TAG_PART] = { "tag-part", "only a part of the tag is checked" },
	[WT_FAULT_TEXT_UNCOVERED] = { "text-uncovered",
				      "the tag does not cover the whole ciphertext" },
	[WT_FAULT_AAD_IGNORED] = { "aad-ignored", "the tag does not cover the AAD" },
	[WT_FAULT_NONCE_PART] = { "nonce-part", "not the whole nonce is used" },
	[WT_FAULT_TEXT_RELEASED] = { "text-released",
				     "text is released although the tag is wrong" },
	[WT_FAULT_WRONG_STATUS] = { "wrong-status", "a wrong tag is not reported as WT_ERR_AUTH" },
	[WT_FAULT_LENGTH_ACCEPTED] = { "length-accepted",
				       "a record of a wrong length is accepted" },
	[WT_FAULT_IN_PLACE] = { "in-place", "it is wrong in place only" },
	[WT_FAULT_ONE_LENGTH] = { "one-length", "it is wrong at one length only" },
	[WT_FAULT_ALIGNMENT] = { "alignment", "it is wrong at some alignments only" },
	[WT_FAULT_ONE_AAD] = { "one-aad-length", "it is wrong at some lengths of AAD only" },
	[WT_FAULT_KEY_PART] = { "key-part", "not every bit of the key is used" },
	[WT_FAULT_KEYS_MIX] = { "keys-mix", "keys in use at once mix" },
	[WT_FAULT_KEY_KEPT] = { "key-kept", "something is left of a wiped key" },
	[WT_FAULT_KEY_BORROWED] = { "key-borrowed", "it reads the caller's key after key_init" },
	[WT_FAULT_THREADS] = { "threads", "it is not thread-safe" },
	[WT_FAULT_BATCH] = { "batch", "the batch form disagrees with the single one" },
	[WT_FAULT_ALLOCATION] = { "allocation", "it does not survive a lack of memory" },
	[WT_FAULT_ERRNO] = { "errno", "it fails for an errno that another call left" },
	[WT_FAULT_WORKER] = { "worker", "a worker does what belongs to another" },
	[WT_FAULT_EVENTS] = { "events", "watches and timers are not used as they must be" },
	[WT_FAULT_MISCLOSED] = { "misclosed", "a descriptor is closed once too often" },
	[WT_FAULT_COUNTERS] = { "counters", "counters are not used as they must be" },
	[WT_FAULT_RECORD_LIMIT] = { "record-limit", "the limit of a record's length is ignored" },
	[WT_FAULT_NETWORK_ENDS] = { "network-ends",
				    "a word of the network ends a connection of datagrams" },
	[WT_FAULT_PATHS] = { "paths", "paths mix up" },
	[WT_FAULT_FRAMING] = { "framing", "records depend on how the bytes arrive" },
	[WT_FAULT_BACK_PRESSURE] = { "back-pressure",
				     "records are lost when they cannot be sent at once" },
	[WT_FAULT_WRITABLE_NEVER] = { "writable-never", "link_writable does not come" },
	[WT_FAULT_TAIL] = { "tail", "what was sent before close() is lost" },
	[WT_FAULT_RECORD_CUT] = { "record-cut", "a record arrives with another length" },
	[WT_FAULT_RECORD_DAMAGED] = { "record-damaged", "a record arrives changed" },
	[WT_FAULT_RECORD_ORDER] = { "record-order", "records arrive in another order" },
	[WT_FAULT_RECORD_TWICE] = { "record-twice", "a record arrives twice" },
	[WT_FAULT_RECORD_LOST] = { "record-lost", "a record is lost" },
	[WT_FAULT_LISTEN] = { "listen", "listen() is not all or nothing" },
	[WT_FAULT_END_NEVER] = { "end-never", "the end of a connection is not reported" },
	[WT_FAULT_END_SILENT] = { "end-silent",
				  "a failure or an end is reported without a reason" },
	[WT_FAULT_READABLE_NEVER] = { "readable-never", "link_readable does not come" },
	[WT_FAULT_SOURCE] = { "source", "who is at the other end is told wrong" },
	[WT_FAULT_SLOT_KEPT] = { "slot-kept", "packet buffers are not given back" },
	[WT_FAULT_LEAK_MEMORY] = { "leak-memory", "it leaks memory" },
	[WT_FAULT_LEAK_DESCRIPTOR] = { "leak-descriptor", "it leaks file descriptors" },
	[WT_FAULT_LEAK_THREAD] = { "leak-thread", "it leaks threads" },
	[WT_FAULT_LIFE] = { "life", "instances disturb each other" },
	[WT_FAULT_BYTES] = { "bytes", "it computes other bytes" },
	[WT_FAULT_FAILED] = { "failed", "an operation failed" },
	[WT_FAULT_NOT_LOADED] = { "not-loaded", "the daemon would not load it" },
};

const char *wt_fault_text(enum wt_fault fault)
{
	return fault < WT_FAULT_COUNT ? faults[fault].text : "unknown";
}

const char *wt_fault_name(enum wt_fault fault)
{
	return fault < WT_FAULT_COUNT ? faults[fault].name : "unknown";
}

bool wt_find(struct wt_finding *finding, enum wt_fault fault, const char *fmt, ...)
{
	va_list args;

	finding->fault = fault;
	finding->cases = 0;
	va_start(args, fmt);
	vsnprintf(finding->text, sizeof finding->text, fmt, args);
	va_end(args);
	wt_utf8_clean(finding->text);
	return false;
}
