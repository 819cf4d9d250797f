#include "ctoml.h"

// Where toml++ takes something of a text for granted that is not so, it asserts: here that is a mistake in the text.
struct ctoml_surprise {};
#undef NDEBUG
#define TOML_ASSERT(expression) (static_cast<bool>(expression) ? static_cast<void>(0) : throw ctoml_surprise())

// The parser is compiled in here: no shared library to load, and mistakes come back as values.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#include <toml++/toml.h>

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <vector>

namespace {

ctoml_position position_of(const toml::source_region &source) { return {source.begin.line, source.begin.column}; }

struct Walk {
    const ctoml_visitor &visitor;
    void *context;

    void table(const toml::table &table) const {
        // toml++ sorts by name; the text's own order reads better in messages.
        using Entry = std::pair<const toml::key *, const toml::node *>;
        std::vector<Entry> entries;
        entries.reserve(table.size());
        for (const auto &[key, node] : table)
            entries.emplace_back(&key, &node);
        std::stable_sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) {
            const auto &one = a.first->source().begin, &other = b.first->source().begin;
            return one.line != other.line ? one.line < other.line : one.column < other.column;
        });
        for (const auto &[key, node] : entries) {
            std::string_view text = key->str();
            visit({text.data(), text.size(), position_of(key->source())}, *node);
        }
    }

    void visit(ctoml_key key, const toml::node &node) const {
        ctoml_position at = position_of(node.source());
        switch (node.type()) {
        case toml::node_type::table:
            visitor.begin_table(context, key, at);
            table(*node.as_table());
            visitor.end_table(context);
            break;
        case toml::node_type::array:
            visitor.begin_array(context, key, at);
            for (const auto &element : *node.as_array())
                visit({nullptr, 0, {0, 0}}, element);
            visitor.end_array(context);
            break;
        case toml::node_type::string: {
            std::string_view text = node.as_string()->get();
            visitor.string(context, key, at, text.data(), text.size());
            break;
        }
        case toml::node_type::integer: visitor.integer(context, key, at, node.as_integer()->get()); break;
        case toml::node_type::floating_point:
            visitor.floating(context, key, at, node.as_floating_point()->get());
            break;
        case toml::node_type::boolean: visitor.boolean(context, key, at, node.as_boolean()->get()); break;
        default: visitor.date(context, key, at); break;
        }
    }
};

void fail(ctoml_error *error, ctoml_position position, std::string_view message) {
    error->position = position;
    std::snprintf(error->message, sizeof error->message, "%.*s", static_cast<int>(message.size()), message.data());
}

bool surprises(std::string_view text) try {
    (void)toml::parse(text);
    return false;
} catch (const ctoml_surprise &) {
    return true;
}

// The line on which toml++ is surprised: it is by every beginning of the text that has this line, and by none without.
uint32_t surprising_line(std::string_view text) {
    std::vector<size_t> ends;
    for (size_t end = text.find('\n'); end != text.npos; end = text.find('\n', end + 1))
        ends.push_back(end + 1);
    auto is_before = [text](size_t end) { return !surprises(text.substr(0, end)); };
    return static_cast<uint32_t>(std::partition_point(ends.begin(), ends.end(), is_before) - ends.begin()) + 1;
}

} // namespace

bool ctoml_walk(const char *text, size_t count, const ctoml_visitor *visitor, void *context, ctoml_error *error) try {
    toml::parse_result result = toml::parse(std::string_view(text, count));
    if (!result) {
        fail(error, position_of(result.error().source()), result.error().description());
        return false;
    }
    Walk{*visitor, context}.table(result.table());
    return true;
} catch (const ctoml_surprise &) {
    fail(error, {surprising_line({text, count}), 1}, "something here is where nothing like it may be");
    return false;
} catch (...) { // memory ran out
    fail(error, {1, 1}, "not enough memory to read this text");
    return false;
}
