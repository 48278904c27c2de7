// Every revision names a ticket.

#include <string.h>

#include "rules.h"
#include "text.h"

rule_t ticket_rule(void) {
  return (rule_t){
      .name = text("ticket"),
      .severity = RUNNER_POLICY_TYPES_SEVERITY_ERROR,
      .summary = text("Title or description of a revision names a ticket"),
      .explanation = text("%s", ""),
  };
}

static bool is_upper(uint8_t byte) { return byte >= 'A' && byte <= 'Z'; }
static bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }
static bool is_word(uint8_t byte) { return is_upper(byte) || is_digit(byte) || (byte >= 'a' && byte <= 'z'); }

static size_t run(policy_string_t in, size_t from, bool (*is)(uint8_t)) {
  size_t length = 0;
  while (from + length < in.len && is(in.ptr[from + length])) length++;
  return length;
}

// The next ticket from an offset on, which is moved behind it: capital letters, a dash, digits; not in the middle of a word.
static bool next_ticket(policy_string_t in, size_t *offset, policy_string_t *ticket) {
  while (*offset < in.len) {
    size_t start = *offset;
    size_t word = run(in, start, is_word);
    size_t letters = run(in, start, is_upper);
    *offset += word > 0 ? word : 1;
    size_t dash = start + letters;
    if (letters == 0 || dash >= in.len || in.ptr[dash] != '-') continue;
    size_t digits = run(in, dash + 1, is_digit);
    if (digits > 0) {
      *ticket = (policy_string_t){in.ptr + start, letters + 1 + digits};
      return true;
    }
  }
  return false;
}

static bool has_prefix(policy_string_t ticket, policy_string_t prefix) {
  return prefix.len == 0 ||
         (ticket.len > prefix.len && ticket.ptr[prefix.len] == '-' && memcmp(ticket.ptr, prefix.ptr, prefix.len) == 0);
}

// Line and column of a text in a file, both from 1. Columns count characters.
static void place_of(policy_string_t named, policy_string_t file, finding_t *finding) {
  size_t end = 0;
  for (size_t at = 0; at + named.len <= file.len; at++) {
    if (memcmp(file.ptr + at, named.ptr, named.len) == 0) {
      end = at;
      break;
    }
  }
  finding->line = (policy_option_u32_t){true, 1};
  finding->column = (policy_option_u32_t){true, 1};
  for (size_t at = 0; at < end; at++) {
    if (file.ptr[at] == '\n') {
      finding->line.val++;
      finding->column.val = 1;
    } else if ((file.ptr[at] & 0xc0) != 0x80) {
      finding->column.val++;
    }
  }
}

bool ticket_check(const settings_t *settings, const source_t *source, finding_t *finding) {
  policy_string_t prefix = settings->ticket_prefix;
  policy_string_t title = source->revision.title;
  policy_string_t in = text("%.*s\n%.*s", TEXT(title), TEXT(source->revision.description));
  policy_string_t first = {0}, ticket;
  size_t offset = 0;
  while (next_ticket(in, &offset, &ticket)) {
    if (has_prefix(ticket, prefix)) return false;
    if (first.len == 0) first = ticket;
  }
  policy_string_t message;
  if (first.len > 0) {
    message = text("names `%.*s`, which is no ticket of `%.*s`", TEXT(first), TEXT(prefix));
  } else if (prefix.len > 0) {
    message = text("names no ticket of `%.*s`", TEXT(prefix));
  } else {
    message = text("names no ticket");
  }
  policy_string_t example = prefix.len > 0 ? prefix : text("OPS");
  *finding = (finding_t){
      .rule = text("ticket"),
      .severity = RUNNER_POLICY_TYPES_SEVERITY_ERROR,
      .revision = text("%.*s", TEXT(source->revision.id)),
      .message = message,
      .help = SOME(text("write it into the title or the text below, as in `%.*s-123`", TEXT(example))),
  };
  place_of(first.len > 0 ? first : title, source->text, finding);
  return true;
}
