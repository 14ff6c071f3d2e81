/* chaos.c - TXT records of class CH: see chaos.h. */
#include "chaos.h"

#include <string.h>

#include "answer.h"

enum { TXT_HEAD_SIZE = 2 + 10 + 1 /* owner, type to length, length of the text */ };

static const char *text_of(const struct chaos_texts *texts, const uint8_t *name, size_t size)
{
    static const struct {
        const char *name;
        size_t size;
        bool version;
    } names[] = {
        { "\7version\4bind", 14, true },
        { "\7version\6server", 16, true },
        { "\10hostname\4bind", 15, false },
        { "\2id\6server", 11, false },
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (size == names[i].size && memcmp(name, names[i].name, size) == 0)
            return names[i].version ? texts->version : texts->identity;
    return NULL;
}

bool chaos_answer(struct answer *answer, const struct chaos_texts *texts)
{
    const struct dns_query *query = answer->query;
    struct compose *compose = &answer->compose;
    const char *text = text_of(texts, query->lower, query->name_size);
    if (!text || (query->type != DNS_TXT && query->type != DNS_ANY))
        return false;
    uint8_t size = (uint8_t)strnlen(text, CHAOS_TEXT_MAX);
    uint8_t *record = compose->message + compose->size;
    if (compose->size + TXT_HEAD_SIZE + size > compose->limit) {
        answer->overflow = true;
        return true;
    }
    dns_put16(record, 0xc000 | DNS_HEADER_SIZE); /* the question's name */
    dns_put16(record + 2, DNS_TXT);
    dns_put16(record + 4, DNS_CLASS_CH);
    dns_put32(record + 6, 0);
    dns_put16(record + 10, size + 1u);
    record[12] = size;
    memcpy(record + TXT_HEAD_SIZE, text, size);
    compose->size += TXT_HEAD_SIZE + size;
    compose->counts[DNS_ANSWER]++;
    return true;
}
