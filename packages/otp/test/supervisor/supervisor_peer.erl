%% Runs programs of supervisors as the test erlang.test.ts does, on OTP itself: reads one program a line, an Erlang term, and answers each
%% with one line, its trace. A trace has an entry for each start, exit, report and reply, in the order in which they come about.
-module(supervisor_peer).
-behaviour(supervisor).
-export([main/0, init/1, log/2, start_worker/3, start_dynamic/3, start_supervisor/2, worker/1]).

%% --- The programs ---------------------------------------------------------------------------------------------------------

main() ->
    logger:remove_handler(default),
    logger:add_handler(peer, ?MODULE, #{}),
    io:setopts([{encoding, latin1}]),
    process_flag(trap_exit, true),
    loop().

loop() ->
    case io:get_line("") of
        eof -> halt(0);
        Line ->
            {ok, Tokens, _} = erl_scan:string(Line),
            {ok, {Root, Steps}} = erl_parse:parse_term(Tokens),
            io:put_chars([lists:join("|", run(Root, Steps)), "\n"]),
            loop()
    end.

run(Root, Steps) ->
    Tracer = spawn_link(fun() -> trace([], #{}, #{}, #{}) end),
    register(tracer, Tracer),
    Pid = case start_supervisor(Root, root) of
        {ok, P} -> P;
        {error, Reason} -> note(["reply error ", text(Reason)]), undefined
    end,
    settle(Pid),
    lists:foreach(fun(Step) -> note(["step ", atom_to_list(element(1, Step))]), step(Step), settle(Pid) end, Steps),
    note("end"),
    stop(Pid),
    kill_rest(),
    unregister(tracer),
    Trace = ask_tracer(Tracer, take),
    unlink(Tracer),
    exit(Tracer, kill),
    flush(),
    Trace.

stop(undefined) -> ok;
stop(Pid) ->
    Ref = monitor(process, Pid),
    exit(Pid, shutdown),
    receive {'DOWN', Ref, process, _, _} -> ok end.

flush() -> receive _ -> flush() after 0 -> ok end.

%% A child that has unlinked itself outlives its supervisor.
kill_rest() ->
    lists:foreach(fun({_, Pid}) ->
        unlink(Pid), Ref = monitor(process, Pid), exit(Pid, kill), receive {'DOWN', Ref, process, _, _} -> ok end
    end, ask_tracer(tracer, living)).

%% Waits until no supervisor has anything left to do.
settle(Pid) ->
    First = walk(Pid),
    case walk(Pid) of
        First -> case has_restarting(First) of true -> settle(Pid); false -> ask_tracer(tracer, sync) end;
        _ -> settle(Pid)
    end.

walk(Pid) when is_pid(Pid) ->
    case catch supervisor:which_children(Pid) of
        Children when is_list(Children) ->
            [{Id, Child, case Type of supervisor -> walk(Child); worker -> none end} || {Id, Child, Type, _} <- Children];
        _ -> dead
    end;
walk(_) -> none.

has_restarting(Walk) when is_list(Walk) ->
    lists:any(fun({_, Child, Below}) -> Child =:= restarting orelse has_restarting(Below) end, Walk);
has_restarting(_) -> false.

%% --- The steps ------------------------------------------------------------------------------------------------------------

step({crash, Id, Reason}) -> crash(pid_of(Id), Reason);
step({crash_all, Sup, Ids, Reason}) ->
    case pid_of(Sup) of
        undefined -> ok;
        Pid ->
            erlang:suspend_process(Pid),
            lists:foreach(fun(Id) -> crash(pid_of(Id), Reason) end, Ids),
            erlang:resume_process(Pid)
    end;
step({unlink, Id}) ->
    case pid_of(Id) of
        undefined -> ok;
        Pid -> Pid ! {unlink, self()}, receive unlinked -> ok end
    end;
step({start_child, Sup, Child}) ->
    reply(start, call(Sup, fun(Pid) -> supervisor:start_child(Pid, spec(Child, Sup)) end));
step({start_dynamic, Sup, Id}) ->
    reply(start, call(Sup, fun(Pid) -> supervisor:start_child(Pid, [Id]) end));
step({terminate_child, Sup, Id}) -> reply(other, call(Sup, fun(Pid) -> supervisor:terminate_child(Pid, Id) end));
step({terminate_dynamic, Sup, Id}) ->
    case pid_of(Id) of
        undefined -> ok;
        Child -> reply(other, call(Sup, fun(Pid) -> supervisor:terminate_child(Pid, Child) end))
    end;
step({restart_child, Sup, Id}) -> reply(restart, call(Sup, fun(Pid) -> supervisor:restart_child(Pid, Id) end));
step({delete_child, Sup, Id}) -> reply(other, call(Sup, fun(Pid) -> supervisor:delete_child(Pid, Id) end));
step({which_children, Sup}) ->
    case call(Sup, fun supervisor:which_children/1) of
        Children when is_list(Children) ->
            Shown = [[shown_id(Id), " ", shown_pid(Pid), " ", atom_to_list(Type)] || {Id, Pid, Type, _} <- Children],
            note(["children ", lists:join(", ", in_order(Children, Shown))]);
        Other -> reply(other, Other)
    end;
step({count_children, Sup}) ->
    case call(Sup, fun supervisor:count_children/1) of
        [{specs, S}, {active, A}, {supervisors, B}, {workers, W}] ->
            note(io_lib:format("count ~p ~p ~p ~p", [S, A, B, W]));
        Other -> reply(other, Other)
    end.

%% Dynamic children have no order.
in_order([{undefined, _, _, _} | _], Shown) -> lists:sort([lists:flatten(S) || S <- Shown]);
in_order(_, Shown) -> Shown.

shown_id(undefined) -> "dynamic";
shown_id(Id) -> atom_to_list(Id).

shown_pid(Pid) when is_pid(Pid) -> name_of(Pid);
shown_pid(Other) -> atom_to_list(Other).

crash(undefined, _) -> ok;
crash(Pid, Reason) ->
    Ref = monitor(process, Pid),
    case Reason of kill -> exit(Pid, kill); _ -> Pid ! {crash, Reason} end,
    receive {'DOWN', Ref, process, _, _} -> ok end.

call(Sup, Fun) ->
    case pid_of(Sup) of
        undefined -> dead;
        Pid -> try Fun(Pid) catch exit:_ -> dead end
    end.

reply(_, dead) -> note("reply dead");
reply(_, ok) -> note("reply ok");
reply(_, {ok, Pid}) -> note(["reply ok ", shown_pid(Pid)]);
reply(_, {error, {already_started, Pid}}) -> note(["reply already_started ", shown_pid(Pid)]);
reply(_, {error, {bad_combination, _}}) -> note("reply bad_combination");
%% The record of the child that could not be started.
reply(start, {error, {Reason, Child}}) when element(1, Child) =:= child -> note(["reply failed ", text(Reason)]);
reply(restart, {error, Code}) when Code =/= no, is_atom(Code) -> note(["reply ", atom_to_list(Code)]);
reply(Way, {error, Reason}) when Way =:= restart; not is_atom(Reason); Reason =:= no -> note(["reply failed ", text(Reason)]);
reply(_, {error, Code}) -> note(["reply ", atom_to_list(Code)]).

%% --- The children ---------------------------------------------------------------------------------------------------------

init({Id, {Strategy, Intensity, Auto, Children}}) ->
    put(supervisor, Id),
    put(strategy, Strategy),
    Flags = #{strategy => Strategy, intensity => Intensity, period => 100000, auto_shutdown => Auto},
    {ok, {Flags, [spec(Child, {Strategy, Id}) || Child <- Children]}}.

spec({worker, Id, Restart, Shutdown, Significant, Manner, Outcomes}, {simple_one_for_one, Sup}) ->
    #{id => Id, restart => Restart, shutdown => Shutdown, significant => Significant,
      start => {?MODULE, start_dynamic, [Manner, {Outcomes, Sup}]}};
spec({worker, Id, Restart, Shutdown, Significant, Manner, Outcomes}, _) ->
    #{id => Id, restart => Restart, shutdown => Shutdown, significant => Significant,
      start => {?MODULE, start_worker, [Id, Manner, Outcomes]}};
spec({supervisor, Id, Restart, Shutdown, Significant, _} = Child, _) ->
    #{id => Id, restart => Restart, shutdown => Shutdown, significant => Significant, type => supervisor,
      start => {?MODULE, start_supervisor, [Child, nested]}}.

start_supervisor({supervisor, Id, _, _, _, Options}, _) ->
    case supervisor:start_link(?MODULE, {Id, Options}) of
        {ok, Pid} -> ask_tracer(tracer, {started, Id, Pid, false}), {ok, Pid};
        Error -> Error
    end.

start_dynamic(Manner, {Outcomes, _}, Id) -> start(Id, Manner, Outcomes, true).

start_worker(Id, Manner, Outcomes) -> start(Id, Manner, Outcomes, false).

start(Id, Manner, Outcomes, IsDynamic) ->
    case ask_tracer(tracer, {outcome, Id, Outcomes}) of
        ok ->
            Pid = spawn_link(?MODULE, worker, [Manner]),
            ask_tracer(tracer, {started, Id, Pid, IsDynamic}),
            {ok, Pid};
        ignore -> ignore;
        error -> {error, no}
    end.

worker(plain) -> serve(plain);
worker(Manner) -> process_flag(trap_exit, true), serve(Manner).

serve(Manner) ->
    receive
        {crash, Reason} -> exit(Reason);
        {unlink, From} ->
            {links, Links} = process_info(self(), links),
            [unlink(Link) || Link <- Links, is_pid(Link)],
            From ! unlinked,
            serve(Manner);
        {'EXIT', _, _} when Manner =:= stubborn -> serve(Manner);
        {'EXIT', _, _} when Manner =:= normal -> exit(normal);
        {'EXIT', _, _} -> exit(bad)
    end.

%% --- The trace ------------------------------------------------------------------------------------------------------------

%% Counts holds how often each id was started, Names what each pid is called, Living the pids.
trace(Trace, Counts, Names, Living) ->
    receive
        {From, Ref, {outcome, Id, Outcomes}} ->
            Count = maps:get({tries, Id}, Counts, 0),
            Outcome = case length(Outcomes) > Count of true -> lists:nth(Count + 1, Outcomes); false -> ok end,
            Entry = ["try ", atom_to_list(Id), " ", atom_to_list(Outcome)],
            From ! {Ref, Outcome},
            trace([Entry | Trace], Counts#{{tries, Id} => Count + 1}, Names, Living);
        {From, Ref, {started, Id, Pid, IsDynamic}} ->
            monitor(process, Pid),
            Count = maps:get(Id, Counts, 0) + 1,
            Name = [atom_to_list(Id), "#", integer_to_list(Count)],
            From ! {Ref, ok},
            trace([["started ", Name] | Trace], Counts#{Id => Count}, Names#{Pid => {Name, IsDynamic}}, Living#{Id => Pid});
        {'DOWN', _, process, Pid, Reason} ->
            #{Pid := {Name, IsDynamic}} = Names,
            Entry = [case IsDynamic of true -> "~"; false -> "" end, "exit ", Name, " ", text(Reason)],
            trace([Entry | Trace], Counts, Names, maps:filter(fun(_, P) -> P =/= Pid end, Living));
        {note, Entry} -> trace([Entry | Trace], Counts, Names, Living);
        {From, Ref, sync} -> From ! {Ref, ok}, trace(Trace, Counts, Names, Living);
        {From, Ref, {name, Pid}} ->
            {Name, _} = maps:get(Pid, Names, {"unknown", false}),
            From ! {Ref, Name}, trace(Trace, Counts, Names, Living);
        {From, Ref, {pid, Id}} -> From ! {Ref, maps:get(Id, Living, undefined)}, trace(Trace, Counts, Names, Living);
        {From, Ref, living} -> From ! {Ref, maps:to_list(Living)}, trace(Trace, Counts, Names, Living);
        {From, Ref, take} -> From ! {Ref, lists:reverse(Trace)}
    end.

ask_tracer(Tracer, Request) ->
    Ref = make_ref(),
    Tracer ! {self(), Ref, Request},
    receive {Ref, Answer} -> Answer end.

note(Entry) -> tracer ! {note, Entry}, ok.

pid_of(Id) -> ask_tracer(tracer, {pid, Id}).

name_of(Pid) -> ask_tracer(tracer, {name, Pid}).

text(Reason) when is_atom(Reason) -> atom_to_list(Reason);
text(Reason) when is_tuple(Reason) -> ["(", lists:join(" ", [text(R) || R <- tuple_to_list(Reason)]), ")"].

%% The reports of supervisors, which the supervisor's own process logs.
log(#{msg := {report, #{label := {supervisor, Context}, report := Report}}}, _) when Context =/= progress ->
    Reason = proplists:get_value(reason, Report),
    Offender = proplists:get_value(offender, Report),
    Sup = atom_to_list(get(supervisor)),
    {Mark, Id} = case get(strategy) of
        simple_one_for_one when Context =:= shutdown_error -> {"~", "dynamic"};
        simple_one_for_one -> {"", "dynamic"};
        _ -> {"", atom_to_list(proplists:get_value(id, Offender))}
    end,
    Entry = [Mark, atom_to_list(Context), " ", Sup, " ", Id, " ", text(Reason)],
    Times = proplists:get_value(nb_children, Offender, 1),
    lists:foreach(fun(_) -> note(Entry) end, lists:seq(1, Times)),
    %% A note must not come before what caused it.
    ok;
log(_, _) -> ok.
