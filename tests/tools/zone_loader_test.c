/* zone_loader_test.c - zones read at the start, and by a thread beside a loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/dns/dns_case.h"
#include "tools/zone_loader.h"

static char folder[] = "/tmp/loader-test-XXXXXX";
static char list[128];

static void write_file(const char *name, const char *text)
{
    char path[128];
    const struct timespec times[2] = { { .tv_sec = 1000000 }, { .tv_sec = 1000000 } };
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(utimensat(-1, path, times, 0), 0);
}

/* A zone whose only address is 192.0.2.LAST. */
static void write_zone(const char *name, unsigned last)
{
    char text[128];
    snprintf(text, sizeof text, "@ SOA a b 1 2 3 4 5\n@ NS a\na%s A 192.0.2.%u\n",
             last > 9 ? " 60" : "", last);
    write_file(name, text);
}

struct service {
    struct loop *loop;
    struct dns_zones *zones;
    unsigned sets;
    unsigned wanted;
};

static void serve(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    (void)context;
    (void)stack;
    (void)now_us;
}

static void take(void *context, struct dns_zones *zones)
{
    struct service *service = context;
    if (zones) {
        dns_zones_free(service->zones);
        service->zones = zones;
    }
    if (++service->sets == service->wanted)
        loop_stop(service->loop, 0);
}

static void reload(struct zone_loader *loader, struct service *service, unsigned times)
{
    service->sets = 0;
    service->wanted = times > 1 ? 2 : 1; /* all that come meanwhile are one */
    for (unsigned i = 0; i < times; i++)
        zone_loader_reload(loader, service->zones);
    assert_int_equal(loop_run(service->loop), 0);
}

static void expect_counters(const struct zone_loader *loader, uint64_t read, uint64_t unchanged,
                            uint64_t broken)
{
    const struct zone_loader_counters *counters = zone_loader_counters(loader);
    assert_int_equal(counters->read, read);
    assert_int_equal(counters->unchanged, unchanged);
    assert_int_equal(counters->broken, broken);
}

static void reloading(void **state)
{
    (void)state;
    char error[1024], text[512];
    struct zone_loader *loader = zone_loader_create();
    struct loop_handlers handlers = { .serve = serve };
    struct service service = { .loop = loop_create(NULL, NULL, &handlers) };
    assert_true(zone_loader_add(loader, list, true));
    snprintf(text, sizeof text, "# two\n\nx %s/x\n y %s/y \n", folder, folder);
    write_file("list", text);
    write_zone("x", 1);
    write_zone("y", 2);
    service.zones = zone_loader_load(loader, error, sizeof error);
    assert_non_null(service.zones);
    assert_true(zone_loader_attach(loader, service.loop, take, &service));

    write_zone("y", 30);
    reload(loader, &service, 1);
    expect_counters(loader, 1, 1, 0);
    expect_answer(service.zones, "a.x. A", 0, "NOERROR aa, an a.x. A 192.0.2.1");
    expect_answer(service.zones, "a.y. A", 0, "NOERROR aa, an a.y. A 192.0.2.30");

    write_file("y", "broken\n"); /* the old one stays */
    write_zone("x", 10);
    reload(loader, &service, 1);
    expect_counters(loader, 2, 1, 1);
    expect_answer(service.zones, "a.x. A", 0, "NOERROR aa, an a.x. A 192.0.2.10");
    expect_answer(service.zones, "a.y. A", 0, "NOERROR aa, an a.y. A 192.0.2.30");

    write_file("list", "x\n"); /* everything stays */
    reload(loader, &service, 1);
    assert_int_equal(zone_loader_counters(loader)->failed, 1);
    assert_int_equal(service.zones->count, 2);

    snprintf(text, sizeof text, "x %s/x\nz %s/none\n", folder, folder);
    write_file("list", text); /* y has gone, z cannot be read */
    reload(loader, &service, 5);
    assert_int_equal(zone_loader_counters(loader)->reloads, 5);
    expect_counters(loader, 2, 3, 3);
    assert_int_equal(service.zones->count, 1);
    expect_answer(service.zones, "a.x. A", 0, "NOERROR aa, an a.x. A 192.0.2.10");

    assert_true(zone_loader_end(loader));
    loop_destroy(service.loop);
    zone_loader_destroy(loader);
    dns_zones_free(service.zones);
}

/* The end may come at any time: while the thread reads, and before the loop has seen the result. */
static void ending(void **state)
{
    (void)state;
    char error[1024], text[256];
    snprintf(text, sizeof text, "x %s/x\n", folder);
    write_file("list", text);
    write_zone("x", 1);
    struct zone_loader *loader = zone_loader_create();
    struct loop_handlers handlers = { .serve = serve };
    struct service service = { .loop = loop_create(NULL, NULL, &handlers) };
    assert_true(zone_loader_add(loader, list, true));
    service.zones = zone_loader_load(loader, error, sizeof error);
    assert_true(zone_loader_attach(loader, service.loop, take, &service));
    write_zone("x", 20);
    zone_loader_reload(loader, service.zones);
    while (!zone_loader_end(loader))
        ;
    loop_destroy(service.loop);
    zone_loader_destroy(loader);
    dns_zones_free(service.zones);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(list, sizeof list, "%s/list", folder);
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = { "list", "x", "y", "." };
    char path[128];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (unlink(path) != 0)
            rmdir(folder);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reloading),
        cmocka_unit_test(ending),
    };
    return cmocka_run_group_tests_name("zone_loader", tests, setup, teardown);
}
