%% Runs programs of processes on two nodes of the BEAM, one program a line, and answers with the trace of each, one a line. ./driver.ts does
%% the same on ours. Behind each step everybody greets everybody until nothing is heard any more, so that no step depends on time.
-module(node_peer).
-export([main/0, other/0, recorder/1]).

-record(st, {driver, names = #{}, monitors = [], heard = [], greeted = #{}, asked = []}).

%% The address of each node is of its own, so that both may listen on one port.
main() ->
    logger:set_primary_config(level, none),
    process_flag(trap_exit, true),
    Other = open_port({spawn_executable, os:find_executable("erl")}, [{args, other_args()}, {line, 100}]),
    receive {Other, {data, {eol, "ready"}}} -> ok end,
    put(other, list_to_atom("b@127.0.0.2")),
    loop(),
    halt(0).

other_args() ->
    {ok, [[Port]]} = init:get_argument(erl_epmd_port),
    {ok, [[Path]]} = init:get_argument(pa),
    ["+S", "1:1", "-noshell", "-pa", Path, "-name", "b@127.0.0.2", "-setcookie", atom_to_list(erlang:get_cookie()),
     "-start_epmd", "false", "-erl_epmd_port", Port, "-kernel", "inet_dist_use_interface", "{127,0,0,2}",
     "-s", "node_peer", "other"].

%% The other node ends with the pipe to the first.
other() ->
    logger:set_primary_config(level, none),
    io:format("ready~n"),
    spawn(fun() -> eof = io:get_line(""), halt(0) end).

loop() ->
    case io:get_line("") of
        eof -> ok;
        Line ->
            {ok, Tokens, _} = erl_scan:string(Line),
            {ok, Program} = erl_parse:parse_term(Tokens),
            Self = self(),
            {Pid, Ref} = spawn_monitor(fun() -> Self ! {trace, run(Program)} end),
            receive
                {'DOWN', Ref, process, Pid, normal} -> receive {trace, Trace} -> io:format("~s~n", [lists:join(";", Trace)]) end;
                {'DOWN', Ref, process, Pid, Why} -> io:format("failed: ~0p~n", [Why])
            end,
            loop()
    end.

%%% The driver

%% The even processes are here, the odd ones there.
run(Program) ->
    Pids = [{I, spawn(case I rem 2 of 0 -> node(); 1 -> 'b@127.0.0.2' end, ?MODULE, recorder, [self()])} || I <- lists:seq(0, 5)],
    Names = maps:from_list([{P, I} || {I, P} <- Pids]),
    [P ! {names, Names} || {_, P} <- Pids],
    put(pids, Pids),
    put(names, Names),
    put(dead, []),
    watch(),
    Trace = [step(Op) || Op <- Program],
    [exit(P, kill) || {_, P} <- Pids],
    Trace.

watch() ->
    put(watched, [{monitor(process, P), I} || {I, P} <- living()]).

living() -> [{I, P} || {I, P} <- get(pids), not lists:member(I, get(dead))].

step({cut}) ->
    monitor_node('b@127.0.0.2', true),
    Self = self(),
    spawn('b@127.0.0.2', fun() -> monitor_node(node(Self), true), Self ! watching, receive {nodedown, _} -> Self ! parted end end),
    receive watching -> ok end,
    erlang:disconnect_node('b@127.0.0.2'),
    receive {nodedown, 'b@127.0.0.2'} -> ok end,
    receive parted -> ok end,
    watch(),
    report("cut", settle([]));
step(Op) ->
    [Kind, X | Rest] = tuple_to_list(Op),
    case lists:keyfind(X, 1, living()) of
        false -> text("~p skipped", [Kind]);
        {X, Pid} ->
            Pid ! {do, Kind, [case is_integer(A) of true -> element(2, lists:keyfind(A, 1, get(pids))); false -> A end || A <- Rest]},
            %% What the BEAM answers for a process that is no more is not in order with what the others of its node send.
            timer:sleep(3),
            report(atom_to_list(Kind), settle([]))
    end.

%% Everybody greets everybody, until a round brings nothing new and nobody has ended.
settle(Events) ->
    Living = living(),
    [P ! {greet, [Q || {_, Q} <- Living, Q =/= P]} || {_, P} <- Living],
    New = gather([P || {_, P} <- Living], []),
    case New of
        [] -> case get(quiet) of true -> erase(quiet), Events; _ -> put(quiet, true), settle(Events) end;
        _ -> erase(quiet), settle(Events ++ New)
    end.

gather([], Events) -> Events;
gather(Waiting, Events) ->
    receive
        {greeted, P, Heard} -> gather(lists:delete(P, Waiting), Events ++ [{maps:get(P, get(names)), H} || H <- Heard]);
        {'DOWN', Ref, process, P, Why} ->
            case {lists:keyfind(Ref, 1, get(watched)), Why} of
                {false, _} -> gather(Waiting, Events);
                {_, noconnection} -> gather(Waiting, Events);
                {{Ref, I}, _} ->
                    put(dead, [I | get(dead)]),
                    gather(lists:delete(P, Waiting), Events ++ [{I, text("ended ~p", [Why])}])
            end
    end.

%% Whether a process that ends tells before what it has heard is left to chance.
report(What, Events) ->
    Ended = [I || {I, "ended" ++ _} <- Events],
    Told = [{I, E} || {I, E} <- Events, not lists:member(I, Ended) orelse lists:prefix("ended", E)],
    What ++ lists:append(lists:sort([text(" ~p:~s", [I, E]) || {I, E} <- Told])).

text(Format, Args) -> lists:flatten(io_lib:format(Format, Args)).

%%% A process that does what it is told, and remembers what it hears

recorder(Driver) -> receive {names, Names} -> recorder_loop(#st{driver = Driver, names = Names}) end.

recorder_loop(S = #st{names = N}) ->
    receive
        {do, Kind, Args} -> recorder_loop(do(Kind, Args, S));
        {greet, Others} ->
            Refs = maps:from_list([{monitor(process, P), P} || P <- Others]),
            [P ! {hello, self()} || P <- Others],
            recorder_loop(answered(S#st{greeted = Refs}));
        {hello, From} -> From ! {hello_back, self()}, recorder_loop(S);
        {hello_back, From} ->
            [Ref] = [R || {R, P} <- maps:to_list(S#st.greeted), P =:= From],
            demonitor(Ref, [flush]),
            recorder_loop(answered(S#st{greeted = maps:remove(Ref, S#st.greeted)}));
        {'DOWN', Ref, process, P, Why} ->
            case maps:is_key(Ref, S#st.greeted) of
                true -> recorder_loop(answered(S#st{greeted = maps:remove(Ref, S#st.greeted)}));
                false ->
                    Monitors = lists:keydelete(Ref, 1, S#st.monitors),
                    recorder_loop(hear(text("DOWN ~p ~p", [maps:get(P, N), Why]), S#st{monitors = Monitors}))
            end;
        {'EXIT', P, Why} -> recorder_loop(hear(text("EXIT ~p ~p", [maps:get(P, N), Why]), S));
        {say, From, What} -> recorder_loop(hear(text("~p from ~p", [What, maps:get(From, N)]), S))
    end.

hear(What, S) -> S#st{heard = S#st.heard ++ [What]}.

answered(S = #st{greeted = G, driver = D, heard = H}) when map_size(G) =:= 0 -> D ! {greeted, self(), H}, S#st{heard = []};
answered(S) -> S.

do(send, [Pid, What], S) -> Pid ! {say, self(), What}, S;
do(monitor, [Pid], S) -> S#st{monitors = [{monitor(process, Pid), Pid} | S#st.monitors]};
do(demonitor, [Pid], S) ->
    case lists:keyfind(Pid, 2, S#st.monitors) of
        false -> S;
        {Ref, _} -> demonitor(Ref, [flush]), S#st{monitors = lists:keydelete(Ref, 1, S#st.monitors)}
    end;
%% Only of a process of its own node does the BEAM know at once that it is not there.
do(link, [Pid], S) -> try link(Pid) catch error:noproc -> exit(noproc) end, S;
do(unlink, [Pid], S) -> unlink(Pid), S;
do(trap, [Is], S) -> process_flag(trap_exit, Is), S;
do(exit, [Why], _) -> exit(Why);
do(signal, [Pid, Why], S) -> exit(Pid, Why), S.
