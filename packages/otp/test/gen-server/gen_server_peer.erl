%% Runs programs of calls, casts, crashes and stops on servers of the real gen_server, one program a line, and answers with the trace of
%% each, one a line. ./driver.ts does the same on ours. No step depends on time: the driver goes on when the server has done what it was
%% asked, and a timeout that is meant to pass belongs to a request to which nothing replies.
-module(gen_server_peer).
-behaviour(gen_server).
-export([main/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, handle_continue/2, terminate/2]).

-record(st, {n = 0, kept = [], driver, bad_end = false}).
%% The knowledge of the driver about a server, and about all requests that it has sent.
-record(slot, {pid, ref, linked = false, suspended = false, dead = false}).

main() ->
    logger:set_primary_config(level, none),
    loop().

loop() ->
    case io:get_line("") of
        eof -> halt(0);
        Line ->
            {ok, Tokens, _} = erl_scan:string(Line),
            {ok, Program} = erl_parse:parse_term(Tokens),
            {Pid, Ref} = spawn_monitor(fun() -> exit({trace, run(Program)}) end),
            receive
                {'DOWN', Ref, process, Pid, {trace, Trace}} -> io:format("~s~n", [lists:join(";", Trace)]);
                {'DOWN', Ref, process, Pid, Why} -> io:format("failed: ~0p~n", [Why])
            end,
            loop()
    end.

%%% The driver

run(Program) ->
    process_flag(trap_exit, true),
    put(requests, []),
    Trace = lists:append([step(Op) || Op <- Program]),
    Open = [text("response ~p ~s", [I, response(I, receive_response)]) || {I, _, _, open} <- lists:reverse(get(requests))],
    [begin exit(S#slot.pid, kill), receive {'DOWN', R, _, _, _} when R =:= S#slot.ref -> ok end end
     || {{slot, _}, S = #slot{dead = false}} <- get()],
    {messages, Left} = process_info(self(), messages),
    Trace ++ Open ++ [text("left ~p", [length([M || M <- Left, is_left(M)])])].

%% OTP may leave a second reply in the mailbox, whose alias lasts until the caller takes its monitor back.
is_left({log, _, _}) -> false;
is_left({'EXIT', _, _}) -> false;
is_left({_, no}) -> false;
is_left(_) -> true.

step(Op) ->
    Result = try op(Op) catch exit:Why -> text("exit ~s", [reason(Why)]) end,
    Sync = case Result of "skipped" -> []; _ -> sync(element(2, Op)) end,
    [text("~p ~s", [element(1, Op), Result]) | logs() ++ Sync ++ logs()].

slot(K) ->
    case get({slot, K}) of undefined -> #slot{dead = true}; S -> S end.

name(K) -> list_to_atom("peer_" ++ integer_to_list(K)).

op({start, K, Mode, Trap, How}) ->
    Args = {self(), Trap, How},
    Name = {local, name(K)},
    Started = case Mode of
        start -> gen_server:start(Name, ?MODULE, Args, []);
        link -> gen_server:start_link(Name, ?MODULE, Args, []);
        monitor -> gen_server:start_monitor(Name, ?MODULE, Args, [])
    end,
    case Started of
        {ok, {Pid, Ref}} -> put({slot, K}, #slot{pid = Pid, ref = Ref}), "ok";
        {ok, Pid} -> put({slot, K}, #slot{pid = Pid, ref = monitor(process, Pid), linked = Mode =:= link}), "ok";
        {error, {already_started, Pid}} -> text("already_started ~p", [Pid =:= (slot(K))#slot.pid]);
        %% Before OTP 26 the EXIT of a server that has not started is left in the mailbox.
        ignore -> drop_exit(Mode), "ignore";
        {error, Why} -> drop_exit(Mode), text("error ~s", [reason(Why)])
    end;
op({Kind, K, _} = Op) when Kind =:= call; Kind =:= call_name; Kind =:= cast; Kind =:= info; Kind =:= request ->
    S = slot(K),
    case may(S, element(3, Op)) of false -> "skipped"; true -> send(Op, S) end;
op({exit, K, Why}) -> with(K, fun(Pid) -> exit(Pid, Why), "sent" end);
op({stop, K, Why}) -> with(K, fun(Pid) -> text("~p", [gen_server:stop(Pid, why(Why), infinity)]) end);
op({state, K}) -> with(K, fun(Pid) -> text("~p", [(sys:get_state(Pid))#st.n]) end);
op({replace, K, N}) -> with(K, fun(Pid) -> text("~p", [(sys:replace_state(Pid, fun(St) -> St#st{n = N} end))#st.n]) end);
op({suspend, K}) -> with(K, fun(Pid) -> sys:suspend(Pid), put({slot, K}, (slot(K))#slot{suspended = true}), "ok" end);
op({resume, K}) -> with(K, fun(Pid) -> sys:resume(Pid), put({slot, K}, (slot(K))#slot{suspended = false}), "ok" end);
op({Kind, _, I}) when Kind =:= receive_response; Kind =:= wait_response -> response(I, Kind).

with(K, Do) ->
    case get({slot, K}) of undefined -> "skipped"; #slot{pid = Pid} -> Do(Pid) end.

%% A server that is suspended would be asked for its state in the moment in which its timeout of 0 runs.
may(#slot{pid = undefined}, _) -> false;
may(#slot{suspended = true}, What) -> What =/= idle andalso What =/= busy;
may(_, _) -> true.

send({call, _, What}, S) -> ask(S#slot.pid, What, S);
send({call_name, K, What}, S) -> ask(name(K), What, S);
send({cast, _, What}, S) -> ok = gen_server:cast(S#slot.pid, What), idle(What, S), "sent";
send({info, _, What}, S) -> S#slot.pid ! What, idle(What, S), "sent";
send({request, K, What}, S) ->
    I = length(get(requests)),
    put(requests, [{I, gen_server:send_request(S#slot.pid, What), K, open} | get(requests)]),
    idle(What, S),
    text("~p", [I]).

ask(Pid, What, S) ->
    Timeout = case S#slot.suspended orelse What =:= keep of true -> 1; false -> infinity end,
    Reply = gen_server:call(Pid, What, Timeout),
    idle(What, S),
    text("reply ~p", [Reply]).

%% Waits for what the server does after its answer: the timeout of 0 passes, or the message comes that it has sent to itself.
idle(idle, S) -> await_log("timeout", S);
idle(busy, S) -> await_log("info", S);
idle(_, _) -> ok.

await_log(Text, #slot{dead = false, pid = Pid}) ->
    receive {log, Pid, Text} -> self() ! {log, Pid, Text} after 60000 -> exit(no_log) end;
await_log(_, _) -> ok.

response(I, Kind) ->
    case lists:keyfind(I, 1, get(requests)) of
        {I, Id, K, open} ->
            Timeout = case (slot(K))#slot.dead of true -> 60000; false -> 1 end,
            Response = gen_server:Kind(Id, Timeout),
            Stays = Kind =:= wait_response andalso Response =:= timeout,
            Stays orelse put(requests, lists:keyreplace(I, 1, get(requests), {I, Id, K, closed})),
            case Response of
                {reply, R} -> text("reply ~p", [R]);
                timeout -> "timeout";
                {error, {Why, _}} -> text("error ~s", [reason(Why)])
            end;
        _ -> "skipped"
    end.

%% Waits until the server has done what it was sent, or has ended; then tells its end.
sync(K) ->
    case get({slot, K}) of
        S = #slot{dead = false, pid = Pid, ref = Ref} ->
            case catch sys:get_state(Pid, infinity) of
                #st{n = N, kept = Kept} -> [text("~p kept ~p", [N, length(Kept)])];
                _ ->
                    put({slot, K}, S#slot{dead = true, suspended = false}),
                    Exit = case S#slot.linked of
                        true -> receive {'EXIT', Pid, Why} -> [text("EXIT ~s", [reason(Why)])] end;
                        false -> []
                    end,
                    Exit ++ receive {'DOWN', Ref, process, Pid, Reason} -> [text("DOWN ~s", [reason(Reason)])] end
            end;
        _ -> []
    end.

logs() -> receive {log, _, Text} -> [Text | logs()] after 0 -> [] end.

drop_exit(link) -> receive {'EXIT', _, _} -> ok end;
drop_exit(_) -> ok.

text(Format, Args) -> lists:flatten(io_lib:format(Format, Args)).

reason({Why, {gen_server, call, _}}) -> reason(Why);
reason({Why, {sys, _, _}}) -> reason(Why);
reason({shutdown, N}) -> text("shutdown ~p", [N]);
reason({bad_return_value, _}) -> "bad_return_value";
reason({Why, Stack}) when is_list(Stack) -> reason(Why);
reason(Why) -> text("~p", [Why]).

why(N) when is_integer(N) -> {shutdown, N};
why(Why) -> Why.

%%% The server

log(#st{driver = Driver}, Format, Args) -> Driver ! {log, self(), text(Format, Args)}.

init({Driver, Trap, How}) ->
    process_flag(trap_exit, Trap),
    St = #st{driver = Driver},
    log(St, "init ~p", [whereis(element(2, process_info(self(), registered_name))) =:= self()]),
    case How of
        ok -> {ok, St};
        bad_end -> {ok, St#st{bad_end = true}};
        {continue, N} -> {ok, St, {continue, N}};
        ignore -> ignore;
        crash -> error(crash);
        bad -> banana;
        {stop, Why} -> {stop, why(Why)}
    end.

handle_call(get, _, St) -> {reply, St#st.n, St};
handle_call({add, N}, _, St) -> {reply, ok, add(N, St)};
handle_call(keep, From, St) -> {noreply, St#st{kept = [From | St#st.kept]}};
handle_call({twice, N}, From, St) -> gen_server:reply(From, N), {reply, no, St};
handle_call({stop_reply, Why}, _, St) -> {stop, why(Why), bye, add(1, St)};
handle_call({continue, N}, _, St) -> {reply, ok, St, {continue, N}};
handle_call(idle, _, St) -> {reply, ok, St, 0};
handle_call(busy, _, St) -> self() ! {add, 1}, {reply, ok, St, 0};
handle_call({stop, _} = What, _, St) -> handle_cast(What, St);
handle_call(crash, _, _) -> error(crash);
handle_call(bad, _, _) -> banana.

handle_cast({add, N}, St) -> {noreply, add(N, St)};
handle_cast({release, N}, St) ->
    [gen_server:reply(From, N) || From <- St#st.kept],
    {noreply, St#st{kept = []}};
handle_cast({stop, Why}, St) -> {stop, why(Why), add(1, St)};
handle_cast({continue, N}, St) -> {noreply, St, {continue, N}};
handle_cast(idle, St) -> {noreply, St, 0};
handle_cast(busy, St) -> self() ! {add, 1}, {noreply, St, 0};
handle_cast(crash, _) -> error(crash);
handle_cast(bad, _) -> {reply, 1, 2}.

handle_info(timeout, St) -> log(St, "timeout", []), {noreply, St};
handle_info({'EXIT', _, Why}, St) -> log(St, "got EXIT ~s", [reason(Why)]), {noreply, St};
handle_info(What, St) -> log(St, "info", []), handle_cast(What, St).

handle_continue(N, St) when N > 0 -> log(St, "continue ~p", [N]), {noreply, add(N, St), {continue, N - 1}};
handle_continue(0, St) -> {noreply, St};
handle_continue(_, St) -> {stop, shutdown, St}.

terminate(Why, St) ->
    log(St, "terminate ~s ~p", [reason(Why), St#st.n]),
    case St#st.bad_end of true -> error(bad_end); false -> ok end.

add(N, St) -> St#st{n = St#st.n + N}.
