-- tcpct.lua - TCP Cookie Transactions (RFC 6013) in Wireshark and tshark.
--
-- It stands before Wireshark's own TCP: of each segment it takes the options of kind 253 and 254 and the
-- header extension, and hands the rest on, without the extension, whose bytes are no data (3.4) and would
-- otherwise be counted, reassembled and dissected as such. The checksum is corrected for what was taken
-- out, so that it is right if, and only if, it was.
--
-- A restart uses the sequence numbers of a closed connection again, which Wireshark's TCP takes for
-- retransmissions. Of such a connection TCP sees the headers alone, and the DNS messages are put together
-- here. tcpct-wireshark(7) says what that means for sequence analysis.

local tcpct = Proto("tcpct", "TCP Cookie Transactions")

tcpct.prefs.dns_port = Pref.uint("DNS port", 53, "Port whose messages are put together after a restart")
-- The kinds are of those for experiments: others may have been agreed upon.
tcpct.prefs.cookie_kind = Pref.uint("Kind of Cookie", 253, "TCP option kind of Cookie, Cookie-less and Cookie-Pair")
tcpct.prefs.extended_kind = Pref.uint("Kind of Timestamps extended", 254, "TCP option kind that announces a header extension")

local field = {
    cookie = ProtoField.bytes("tcpct.cookie", "Cookie", base.NONE),
    cookie_less = ProtoField.none("tcpct.cookie_less", "Cookie-less"),
    pair = ProtoField.bytes("tcpct.pair", "Cookie-Pair", base.NONE),
    initiator = ProtoField.bytes("tcpct.pair.initiator", "Initiator-Cookie", base.NONE),
    responder = ProtoField.bytes("tcpct.pair.responder", "Responder-Cookie", base.NONE),
    seal = ProtoField.bytes("tcpct.seal", "Sealed state of the path", base.NONE),
    other = ProtoField.bytes("tcpct.other", "Other option of kind 253", base.NONE),
    extend = ProtoField.uint8("tcpct.extend", "Extend (32-bit words)"),
    extension = ProtoField.bytes("tcpct.extension", "Header extension", base.NONE),
    bits = ProtoField.uint8("tcpct.timestamps.bits", "Bits of a timestamp"),
    value = ProtoField.uint32("tcpct.timestamps.value", "TS Value"),
    echo = ProtoField.uint32("tcpct.timestamps.echo", "TS Echo Reply"),
    value_prefix = ProtoField.bytes("tcpct.timestamps.value_prefix", "Prefix of TS Value", base.NONE),
    echo_prefix = ProtoField.bytes("tcpct.timestamps.echo_prefix", "Prefix of TS Echo Reply", base.NONE),
    mss = ProtoField.uint16("tcpct.mss", "Maximum segment size"),
    window_scale = ProtoField.uint8("tcpct.window_scale", "Window scale"),
    sack_permitted = ProtoField.none("tcpct.sack_permitted", "SACK permitted"),
    sack_start = ProtoField.uint32("tcpct.sack.start", "SACK from"),
    sack_end = ProtoField.uint32("tcpct.sack.end", "SACK to"),
    timeout = ProtoField.uint16("tcpct.user_timeout", "User timeout"),
    unknown = ProtoField.bytes("tcpct.unknown", "Other option of the extension", base.NONE),
    role = ProtoField.string("tcpct.role", "Role"),
    incarnation = ProtoField.uint32("tcpct.incarnation", "Incarnation of the pair"),
    data = ProtoField.bytes("tcpct.data", "Data", base.NONE),
}
tcpct.fields = field

local expert = {
    restart = ProtoExpert.new("tcpct.restart", "A closed connection begins again (4.3, 4.4)",
        expert.group.SEQUENCE, expert.severity.NOTE),
    again = ProtoExpert.new("tcpct.opening_again", "An opening that was sent before",
        expert.group.SEQUENCE, expert.severity.NOTE),
    reflected = ProtoExpert.new("tcpct.reflected", "Both cookies are equal: options are copied (4.3)",
        expert.group.PROTOCOL, expert.severity.WARN),
    sizes = ProtoExpert.new("tcpct.cookie_sizes", "The cookies differ in size (3.1)",
        expert.group.PROTOCOL, expert.severity.WARN),
    foreign = ProtoExpert.new("tcpct.foreign_pair", "Not the pair of this exchange (4.4, 7)",
        expert.group.SECURITY, expert.severity.WARN),
    doubled = ProtoExpert.new("tcpct.duplicate", "Two of Cookie, Cookie-less and Cookie-Pair, or of Timestamps: to be discarded (3, 3.4)",
        expert.group.PROTOCOL, expert.severity.WARN),
    length = ProtoExpert.new("tcpct.bad_length", "A bad length: to be ignored (3.1, 3.2)",
        expert.group.PROTOCOL, expert.severity.WARN),
    bad_extend = ProtoExpert.new("tcpct.bad_extend", "A bad Extend: to be discarded (3.4)",
        expert.group.MALFORMED, expert.severity.WARN),
    bare_fin = ProtoExpert.new("tcpct.unpaired_fin", "FIN without Cookie-Pair: to be ignored (5)",
        expert.group.SEQUENCE, expert.severity.WARN),
    advisory = ProtoExpert.new("tcpct.advisory_reset", "RST with Cookie-Pair: advisory (7)",
        expert.group.SEQUENCE, expert.severity.NOTE),
    bare_reset = ProtoExpert.new("tcpct.unpaired_reset", "RST without Cookie-Pair: to be ignored (7)",
        expert.group.SEQUENCE, expert.severity.NOTE),
}
tcpct.experts = {}
for _, one in pairs(expert) do tcpct.experts[#tcpct.experts + 1] = one end

local FIN, SYN, RST, ACK = 1, 2, 4, 16
local function has(flags, flag) return bit.band(flags, flag) ~= 0 end

local TCP = Dissector.get("tcp")
local DNS = Dissector.get("dns")

local flows -- by endpoints: what is known of a connection
local notes -- by frame: what was found out when it was first seen

function tcpct.init()
    flows, notes = {}, {}
end

-- ---- one segment ---------------------------------------------------------------------------------

-- Goes through the options of `tvb` from `at` to `last`; calls each(kind, at, length).
local function each_option(tvb, at, last, each)
    while at < last do
        local kind = tvb(at, 1):uint()
        if kind == 0 then return end
        local length = kind == 1 and 1 or at + 1 < last and tvb(at + 1, 1):uint() or 0
        if kind ~= 1 and (length < 2 or at + length > last) then return end
        if kind ~= 1 then each(kind, at, length) end
        at = at + length
    end
end

-- What a segment has of RFC 6013; nil if nothing.
local function parse(tvb, header)
    local found = { extension = 0, list = {} }
    local function add(name, at, length, problem)
        found.list[#found.list + 1] = { name = name, at = at, length = length, problem = problem }
    end
    local function cookies(name, at, length, problem)
        if found.cookie_at or found.pair_at or found.cookie_less then problem = expert.doubled end
        add(name, at, length, problem)
        return not problem
    end
    each_option(tvb, 20, header, function(kind, at, length)
        if kind == tcpct.prefs.cookie_kind then
            if length == 2 then
                found.cookie_less = cookies("cookie_less", at, length)
            elseif length < 10 or length > 18 or length % 2 == 1 then
                add("other", at, length, expert.length)
            elseif cookies("cookie", at, length) then
                found.cookie_at, found.cookie_size = at + 2, length - 2
            end
        elseif kind == tcpct.prefs.extended_kind and length == 4 then
            if found.extended or found.standard then add("extend", at, length, expert.doubled) end
            found.extended = at
        elseif kind == tcpct.prefs.extended_kind then
            add("other", at, length, expert.length)
        elseif kind == 8 and length == 10 then
            found.standard = at
            if found.extended then add("extend", at, length, expert.doubled) end
            found.ts_value, found.ts_echo = tvb(at + 2, 4):uint(), tvb(at + 6, 4):uint()
        elseif kind == 2 and length == 4 then
            found.syn_options = true
        end
    end)
    if not found.extended then return #found.list > 0 and found or nil, found end

    local extend, size = tvb(found.extended + 2, 1):uint(), 4 * (tvb(found.extended + 3, 1):uint() % 8)
    local last = header + 4 * extend
    if extend < 9 or last > tvb:len() or (size ~= 4 and size ~= 8 and size ~= 16) then
        add("extend", found.extended, 4, expert.bad_extend)
        return found, found
    end
    found.extension, found.ts_size = 4 * extend, size
    found.ts_at = header
    found.ts_value, found.ts_echo = tvb(header + size - 4, 4):uint(), tvb(header + 2 * size - 4, 4):uint()
    each_option(tvb, header + 2 * size, last, function(kind, at, length)
        if kind == tcpct.prefs.cookie_kind and length == 2 then
            found.cookie_less = cookies("cookie_less", at, length)
        elseif kind == tcpct.prefs.cookie_kind and length > 34 then
            add(length <= 65 and "seal" or "other", at, length)
        elseif kind == tcpct.prefs.cookie_kind then
            local bad = length < 18 or length % 4 ~= 2
            if cookies("pair", at, length, bad and expert.length or nil) then
                found.pair_at, found.cookie_size = at + 2, (length - 2) / 2
            end
        elseif kind == 2 and length == 4 then
            found.syn_options = true
            add("mss", at, length)
        elseif kind == 3 and length == 3 then
            add("window_scale", at, length)
        elseif kind == 4 and length == 2 then
            add("sack_permitted", at, length)
        elseif kind == 5 and length % 8 == 2 then
            add("sack", at, length)
        elseif kind == 28 and length == 4 then
            add("timeout", at, length)
        else
            add("unknown", at, length)
        end
    end)
    return found, found
end

-- ---- connections ---------------------------------------------------------------------------------

-- The same for both directions, and who sent it.
local function flow_of(pinfo, tvb)
    local one = tostring(pinfo.src) .. " " .. tvb(0, 2):uint()
    local other = tostring(pinfo.dst) .. " " .. tvb(2, 2):uint()
    local key = one < other and one .. " " .. other or other .. " " .. one
    flows[key] = flows[key] or { streams = {} }
    return flows[key], one
end

local function newer(a, b) return (a - b) % 2 ^ 32 < 2 ^ 31 and a ~= b end

-- A new incarnation: its data begins at these sequence numbers.
local function begin(flow, sender, found, seq, ack)
    flow.initiator, flow.opening = sender, found.ts_value
    flow.base = { [sender] = seq }
    flow.base_of_other = ack
    flow.streams = {}
end

-- An <ACK(SYN)> of the Initiator, or one of these again.
local function take_opening(flow, note, sender, found, seq, ack)
    if flow.opening == nil then
        begin(flow, sender, found, seq, ack)
        flow.incarnation = flow.exchange and 0 or 1
        note.role = flow.exchange and "opening" or "restart"
    elseif found.ts_value == flow.opening then
        note.role, note.expert = "opening", expert.again
    elseif newer(found.ts_value, flow.opening) and flow.first_seq == seq then
        begin(flow, sender, found, seq, ack)
        flow.incarnation = flow.incarnation + 1
        note.role = "restart"
    end
    flow.first_seq = flow.first_seq or seq
    if note.role == "restart" then note.expert = expert.restart end
end

-- Adds data to a stream, and the DNS messages that are whole now to the frame's note.
local function reassemble(flow, note, sender, seq, data)
    local stream = flow.streams[sender]
    if not stream then
        stream = { next = flow.base[sender] or flow.base_of_other, pieces = {}, bytes = ByteArray.new() }
        flow.streams[sender] = stream
    end
    stream.pieces[seq] = data
    local again = true
    while again do
        again = false
        for at, piece in pairs(stream.pieces) do
            local passed = (stream.next - at) % 2 ^ 32
            if passed < 2 ^ 31 then
                stream.pieces[at] = nil
                if passed < piece:len() then
                    stream.bytes:append(piece:subset(passed, piece:len() - passed))
                    stream.next = (at + piece:len()) % 2 ^ 32
                    again = true
                end
                break
            end
        end
    end
    local function size() return stream.bytes:get_index(0) * 256 + stream.bytes:get_index(1) end
    while stream.bytes:len() >= 2 and stream.bytes:len() >= 2 + size() do
        local message = 2 + size()
        note.messages = note.messages or {}
        table.insert(note.messages, stream.bytes:subset(0, message))
        stream.bytes = stream.bytes:len() > message and
            stream.bytes:subset(message, stream.bytes:len() - message) or ByteArray.new()
    end
end

-- What this frame is, in its connection; called once a frame, in order.
local function study(pinfo, tvb, found, header)
    local flags, seq, ack = tvb(13, 1):uint(), tvb(4, 4):uint(), tvb(8, 4):uint()
    local flow, sender = flow_of(pinfo, tvb)
    local note = {}
    local cookie = found.cookie_at and tostring(tvb(found.cookie_at, found.cookie_size):bytes())
    if has(flags, SYN) then
        if not has(flags, ACK) and cookie then
            if flow.exchange ~= cookie then flow.opening, flow.first_seq = nil, nil end
            flow.exchange, flow.initiator, flow.incarnation, flow.responder = cookie, sender, nil, nil
            note.role = "exchange"
        elseif not has(flags, ACK) then
            flow.exchange, flow.incarnation, flow.opening = nil, nil, nil
        elseif cookie and flow.exchange then
            flow.responder = cookie
            note.role = "exchange"
            if cookie == flow.exchange then
                note.expert = expert.reflected
            elseif #cookie ~= #flow.exchange then
                note.expert = expert.sizes
            end
        end
        return note
    end
    if found.pair_at then
        local pair = tostring(tvb(found.pair_at, 2 * found.cookie_size):bytes())
        if flow.exchange and flow.responder and pair ~= flow.exchange .. flow.responder then
            note.expert = expert.foreign
        elseif has(flags, RST) then
            note.expert = expert.advisory
        elseif found.syn_options and (not flow.initiator or flow.initiator == sender) then
            take_opening(flow, note, sender, found, seq, ack)
        end
        flow.paired = true
    elseif flow.paired and flow.opening and has(flags, FIN) then
        note.expert = expert.bare_fin
    elseif flow.paired and flow.opening and has(flags, RST) then
        note.expert = expert.bare_reset
    end
    local data_at = header + found.extension
    if flow.incarnation and flow.incarnation > 0 then
        note.incarnation = flow.incarnation
        if data_at < tvb:len() and not has(flags, RST) then
            reassemble(flow, note, sender, seq, tvb(data_at):bytes())
        end
    end
    return note
end

-- ---- what is shown -------------------------------------------------------------------------------

local function show_option(tree, tvb, option, found)
    local at, length, name = option.at, option.length, option.name
    local item
    if name == "pair" and option.problem == nil then
        local half = found.cookie_size
        item = tree:add(field.pair, tvb(at + 2, 2 * half))
        item:add(field.initiator, tvb(at + 2, half))
        item:add(field.responder, tvb(at + 2 + half, half))
    elseif name == "cookie" then
        item = tree:add(field.cookie, tvb(at + 2, length - 2))
    elseif name == "seal" then
        item = tree:add(field.seal, tvb(at + 2, length - 2))
        item:append_text(" (" .. length - 2 .. " bytes)")
    elseif name == "sack" then
        for block = at + 2, at + length - 8, 8 do
            tree:add(field.sack_start, tvb(block, 4))
            tree:add(field.sack_end, tvb(block + 4, 4))
        end
    elseif name == "cookie_less" or name == "sack_permitted" then
        item = tree:add(field[name], tvb(at, length))
    elseif name == "mss" or name == "window_scale" or name == "timeout" then
        item = tree:add(field[name], tvb(at + 2, length - 2))
    elseif name == "extend" then
        item = tree:add(field.extend, tvb(at + 2, 1))
    else
        item = tree:add(name == "other" and field.other or field.unknown, tvb(at, length))
    end
    if option.problem then (item or tree):add_proto_expert_info(option.problem) end
end

local function show_timestamps(tree, tvb, found)
    local size, at = found.ts_size, found.ts_at
    tree:add(field.bits, tvb(at, 2 * size), 8 * size)
    if size > 4 then
        tree:add(field.value_prefix, tvb(at, size - 4))
        tree:add(field.echo_prefix, tvb(at + size, size - 4))
    end
    tree:add(field.value, tvb(at + size - 4, 4))
    tree:add(field.echo, tvb(at + 2 * size - 4, 4))
end

local function show(root, tvb, found, note, header)
    local tree = root:add(tcpct, tvb(0, header + found.extension))
    if found.extension > 0 then
        tree:add(field.extend, tvb(found.extended + 2, 1))
        tree:add(field.extension, tvb(header, found.extension))
        show_timestamps(tree, tvb, found)
    end
    for _, option in ipairs(found.list) do show_option(tree, tvb, option, found) end
    if note.role then tree:add(field.role, note.role):set_generated() end
    if note.incarnation then tree:add(field.incarnation, note.incarnation):set_generated() end
    local data_at = header + found.extension
    if note.incarnation and data_at < tvb:len() then tree:add(field.data, tvb(data_at)) end
    if note.expert then tree:add_proto_expert_info(note.expert) end
end

-- One's complement sum of an even number of bytes.
local function sum(bytes, from, to, total)
    for at = from, to - 1, 2 do
        total = total + bytes:get_index(at) * 256 + (at + 1 < to and bytes:get_index(at + 1) or 0)
    end
    return total
end

-- The segment without its bytes from `from` to `to`, and a checksum that is as right as it was.
local function without(tvb, from, to)
    local whole = tvb:bytes()
    local removed = sum(whole, from, to, to - from) -- the length in the pseudo-header, too
    local checksum = tvb(16, 2):uint() + removed
    while checksum > 0xffff do checksum = checksum % 0x10000 + math.floor(checksum / 0x10000) end
    local rest = whole:subset(0, from)
    if to < whole:len() then rest:append(whole:subset(to, whole:len() - to)) end
    rest:set_index(16, math.floor(checksum / 256))
    rest:set_index(17, checksum % 256)
    return rest:tvb("Without what is no data")
end

-- ---- the dissector -------------------------------------------------------------------------------

function tcpct.dissector(tvb, pinfo, root)
    local header = tvb:len() >= 20 and 4 * math.floor(tvb(12, 1):uint() / 16) or 0
    if header < 20 or header > tvb:len() then return TCP:call(tvb, pinfo, root) end
    local shown, found = parse(tvb, header)
    local note = notes[pinfo.number]
    if note == nil then
        note = study(pinfo, tvb, found, header)
        notes[pinfo.number] = note
    end
    if shown or note.incarnation or note.expert then show(root, tvb, found, note, header) end
    if note.incarnation and header < tvb:len() then
        TCP:call(without(tvb, header, tvb:len()), pinfo, root)
    elseif found.extension > 0 then
        TCP:call(without(tvb, header, header + found.extension), pinfo, root)
    else
        TCP:call(tvb, pinfo, root)
    end
    if note.role == "restart" then pinfo.cols.info:append(" [TCPCT restart]") end
    local port = tcpct.prefs.dns_port
    if note.messages and (pinfo.src_port == port or pinfo.dst_port == port) then
        for _, message in ipairs(note.messages) do
            DNS:call(message:tvb("DNS message after a restart"), pinfo, root)
        end
    end
    return tvb:len()
end

DissectorTable.get("ip.proto"):set(6, tcpct)
