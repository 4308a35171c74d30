#!/usr/bin/env escript
%%! +S 1:1
%% Runs programs of process groups on OTP's pg: a line has one, as a list of Erlang terms, and its answer is a line of JSON.
-mode(compile).

main(_) ->
    case io:get_line("") of
        eof ->
            ok;
        Line ->
            {ok, Tokens, _} = erl_scan:string(Line ++ "."),
            {ok, Steps} = erl_parse:parse_term(Tokens),
            {ok, Scope} = pg:start(program),
            Pids = maps:from_list([{I, begin_process()} || I <- lists:seq(0, 3)]),
            Numbers = maps:from_list([{Pid, I} || {I, Pid} <- maps:to_list(Pids)]),
            Views = steps(Steps, Pids, Numbers, []),
            io:format("~s~n", [json(Views)]),
            ok = gen_server:stop(Scope),
            flush(),
            main([])
    end.

begin_process() -> spawn(fun() -> receive stop -> ok end end).

steps([], _, _, _) ->
    [];
steps([Step | Rest], Pids, Numbers, Monitors) ->
    {Result, NewPids, NewNumbers, NewMonitors} = perform(Step, Pids, Numbers, Monitors),
    %% A call that changes nothing comes behind all that the scope has sent.
    false = pg:demonitor(program, make_ref()),
    Changes = changes(NewMonitors, NewNumbers),
    Members = [{G, lists:sort([maps:get(P, NewNumbers) || P <- pg:get_members(program, G)])}
               || G <- lists:sort(pg:which_groups(program))],
    [{Result, Changes, Members} | steps(Rest, NewPids, NewNumbers, NewMonitors)].

perform({join, Group, Is}, Pids, Numbers, Monitors) ->
    ok = pg:join(program, Group, [maps:get(I, Pids) || I <- Is]),
    {null, Pids, Numbers, Monitors};
perform({leave, Group, [I]}, Pids, Numbers, Monitors) ->
    {pg:leave(program, Group, maps:get(I, Pids)) =:= ok, Pids, Numbers, Monitors};
perform({exit, I}, Pids, Numbers, Monitors) ->
    Pid = maps:get(I, Pids),
    Ref = monitor(process, Pid),
    exit(Pid, shutdown),
    receive {'DOWN', Ref, _, _, _} -> ok end,
    gone(Pid),
    Next = begin_process(),
    {null, Pids#{I => Next}, Numbers#{Next => I}, Monitors};
perform({monitor, Group}, Pids, Numbers, Monitors) ->
    {Ref, _} = pg:monitor(program, Group),
    {null, Pids, Numbers, Monitors ++ [Ref]};
perform(monitor_scope, Pids, Numbers, Monitors) ->
    {Ref, _} = pg:monitor_scope(program),
    {null, Pids, Numbers, Monitors ++ [Ref]};
perform({demonitor, N}, Pids, Numbers, Monitors) when N < length(Monitors) ->
    {pg:demonitor(program, lists:nth(N + 1, Monitors)) =:= ok, Pids, Numbers, Monitors};
perform({demonitor, _}, Pids, Numbers, Monitors) ->
    {false, Pids, Numbers, Monitors}.

%% The scope hears of an end on its own, and may do so later than this process.
gone(Pid) ->
    case [G || G <- pg:which_groups(program), lists:member(Pid, pg:get_members(program, G))] of
        [] -> ok;
        _ -> erlang:yield(), gone(Pid)
    end.

changes(Monitors, Numbers) ->
    receive
        {Ref, Type, Group, Members} when Type =:= join; Type =:= leave ->
            [{index(Ref, Monitors, 0), Type, Group, [maps:get(P, Numbers) || P <- Members]} | changes(Monitors, Numbers)]
    after 0 ->
        []
    end.

index(Ref, [Ref | _], N) -> N;
index(Ref, [_ | Rest], N) -> index(Ref, Rest, N + 1).

flush() -> receive _ -> flush() after 0 -> ok end.

json(Views) -> ["[", join([view(V) || V <- Views]), "]"].

view({Result, Changes, Members}) ->
    io_lib:format("{\"result\":~p,\"changes\":[~s],\"members\":{~s}}",
        [Result,
         join([io_lib:format("[~p,\"~p\",\"~p\",~w]", [M, T, G, Ps]) || {M, T, G, Ps} <- Changes]),
         join([io_lib:format("\"~p\":~w", [G, Ps]) || {G, Ps} <- Members])]).

join(Parts) -> lists:join(",", Parts).
