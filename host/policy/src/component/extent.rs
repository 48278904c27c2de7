//! How much a component makes of the host before anything of it runs: what compiling it costs, and what wasmtime allocates for
//! its instances beside their memories and tables. Neither is covered by a limit of a call, so both are bounded by what is
//! written in the file; only components that are to be compiled are looked at.

use wasmparser::BinaryReaderError;
use wasmparser::ComponentAlias;
use wasmparser::ComponentExternalKind;
use wasmparser::ComponentInstance;
use wasmparser::ComponentOuterAliasKind;
use wasmparser::ComponentTypeRef;
use wasmparser::CompositeInnerType;
use wasmparser::ElementItems;
use wasmparser::Encoding;
use wasmparser::FunctionBody;
use wasmparser::Instance;
use wasmparser::Operator;
use wasmparser::Parser;
use wasmparser::Payload;
use wasmparser::TypeRef;

use crate::Refusal;
use crate::limits::bytes;

/// Of a module. CPython has 508, which are many.
const GLOBALS: u64 = 10_000;
/// Entries of all element segments of a module. JavaScript's engine has 7 689.
const ELEMENTS: u64 = 100_000;
/// Of a component. JavaScript's engine and CPython have about 20 000.
const FUNCTIONS: u64 = 100_000;
/// Bytes of a function. The largest one of CPython has 427 000.
const BODY: u64 = 1 << 20;
/// Of a function. JavaScript's engine has 483 at most.
const LOCALS: u64 = 5_000;
/// Bytes of a function times its locals, which is what compiling it may cost. Known components stay below 25 million.
const WORK: u64 = 100_000_000;
/// The same of all functions together. JavaScript's engine has 204 million.
const ALL_WORK: u64 = 1_000_000_000;
/// Loops within each other in a function. Known components have 16 at most. Compiling gets slow with their square.
const LOOPS: u64 = 50;
/// The same times the locals of the function. Known components stay below 2 100, and 100 000 take seconds.
const LOOPED_LOCALS: u64 = 20_000;
/// Blocks and branches of a function. Known components have 8 600 at most. Compiling gets slow with their square.
const BRANCHES: u64 = 15_000;
/// Squares of the same, of all functions together. JavaScript's engine has 302 million.
const ALL_BRANCHES: u64 = 2_000_000_000;
/// Of a type of functions or blocks. Known components have 23 at most.
const PARAMETERS: u64 = 64;
/// Of the same. Known components have one.
const RESULTS: u64 = 4;
/// Of all functions. JavaScript's engine has 112 000.
const ALL_LOCALS: u64 = 2_000_000;
/// What all instances of a component may take beside their memories and tables. CPython takes 0.6 MiB.
const INSTANCES: u64 = 16 << 20;

/// Bytes that an instance takes for each global, and for each entry of an element segment.
const VALUE: u64 = 16;
/// The same for each function, imported or its own.
const FUNCTION: u64 = 32;

/// What may be instantiated, by its index.
#[derive(Clone, Copy)]
enum Part {
    /// So many bytes an instance.
    Known(u64),
    /// It comes from elsewhere.
    Foreign,
}

/// A module or component that is being read.
#[derive(Default)]
struct Frame {
    is_module: bool,
    globals: u64,
    elements: u64,
    functions: u64,
    /// Bytes of all instances of a component.
    instances: u64,
    /// Whether it instantiates something that is not in the file.
    has_foreign: bool,
    modules: Vec<Part>,
    components: Vec<Part>,
}

/// Refuses a component that is too large to be compiled or instantiated.
pub(crate) fn check(wasm: &[u8]) -> Result<(), Refusal> {
    let mut extent = Extent::default();
    for payload in Parser::new(0).parse_all(wasm) {
        extent.read(payload.map_err(|error| damaged(&error))?)?;
    }
    Ok(())
}

fn damaged(error: &BinaryReaderError) -> Refusal {
    Refusal::NotAComponent { what: error.to_string(), help: "build it again; the file may be damaged" }
}

fn at_most(what: &str, count: u64, most: u64) -> Result<(), Refusal> {
    if count > most {
        return Err(Refusal::Extent { what: format!("{what} {count}, and at most {most} are compiled") });
    }
    Ok(())
}

/// How control flows in a function.
struct Flow {
    /// How many loops are within each other.
    loops: u64,
    /// Blocks, loops, conditions and branches.
    branches: u64,
}

impl Flow {
    fn of(body: &FunctionBody<'_>) -> Result<Self, BinaryReaderError> {
        let (mut flow, mut depth, mut is_loop) = (Flow { loops: 0, branches: 0 }, 0, Vec::new());
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            match operator {
                Operator::Loop { .. } => {
                    is_loop.push(true);
                    depth += 1;
                    flow.loops = flow.loops.max(depth);
                }
                Operator::Block { .. } | Operator::If { .. } | Operator::Try { .. } | Operator::TryTable { .. } => {
                    is_loop.push(false);
                }
                Operator::End | Operator::Delegate { .. } => {
                    if is_loop.pop() == Some(true) {
                        depth -= 1;
                    }
                    continue;
                }
                Operator::Br { .. } | Operator::BrIf { .. } | Operator::BrTable { .. } => {}
                _ => continue,
            }
            flow.branches += 1;
        }
        Ok(flow)
    }
}

#[derive(Default)]
struct Extent {
    /// From the outermost one to the one that is being read.
    frames: Vec<Frame>,
    functions: u64,
    locals: u64,
    work: u64,
    branches: u64,
}

impl Extent {
    fn read(&mut self, payload: Payload<'_>) -> Result<(), Refusal> {
        if let Payload::Version { encoding, .. } = payload {
            self.frames.push(Frame { is_module: encoding == Encoding::Module, ..Frame::default() });
            return Ok(());
        }
        if let Payload::CodeSectionEntry(body) = &payload {
            return self.function(body);
        }
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    match import.map_err(|error| damaged(&error))?.ty {
                        TypeRef::Func(_) | TypeRef::FuncExact(_) => frame.functions += 1,
                        TypeRef::Global(_) => frame.globals += 1,
                        TypeRef::Table(_) | TypeRef::Memory(_) | TypeRef::Tag(_) => {}
                    }
                }
                at_most("the number of globals of a module is", frame.globals, GLOBALS)?;
            }
            Payload::TypeSection(groups) => {
                for group in groups {
                    for part in group.map_err(|error| damaged(&error))?.into_types() {
                        let CompositeInnerType::Func(function) = part.composite_type.inner else { continue };
                        let (parameters, results) = (function.params().len() as u64, function.results().len() as u64);
                        at_most("the number of parameters of a function is", parameters, PARAMETERS)?;
                        at_most("the number of results of a function is", results, RESULTS)?;
                    }
                }
            }
            Payload::GlobalSection(globals) => {
                frame.globals += u64::from(globals.count());
                at_most("the number of globals of a module is", frame.globals, GLOBALS)?;
            }
            Payload::FunctionSection(functions) => {
                let count = u64::from(functions.count());
                frame.functions += count;
                self.functions += count;
                at_most("the number of its functions is", self.functions, FUNCTIONS)?;
            }
            Payload::ElementSection(segments) => {
                for segment in segments {
                    frame.elements += match segment.map_err(|error| damaged(&error))?.items {
                        ElementItems::Functions(items) => u64::from(items.count()),
                        ElementItems::Expressions(_, items) => u64::from(items.count()),
                    };
                }
                at_most("the number of elements of a module is", frame.elements, ELEMENTS)?;
            }
            Payload::End(_) => self.end(),
            payload => self.component(payload).map_err(|error| damaged(&error))?,
        }
        self.frames.last().map_or(Ok(()), Frame::check)
    }

    fn function(&mut self, body: &FunctionBody<'_>) -> Result<(), Refusal> {
        let mut locals = 0;
        for group in body.get_locals_reader().map_err(|error| damaged(&error))? {
            locals += u64::from(group.map_err(|error| damaged(&error))?.0);
        }
        let size = body.range().len() as u64;
        let work = size.saturating_mul(locals);
        self.locals += locals;
        self.work = self.work.saturating_add(work);
        at_most("the number of bytes of a function is", size, BODY)?;
        at_most("the number of locals of a function is", locals, LOCALS)?;
        at_most("the number of bytes of a function times that of its locals is", work, WORK)?;
        at_most("the number of bytes of all its functions, each times its locals, is", self.work, ALL_WORK)?;
        at_most("the number of locals of all its functions is", self.locals, ALL_LOCALS)?;
        let Flow { loops, branches } = Flow::of(body).map_err(|error| damaged(&error))?;
        at_most("the number of loops within each other is", loops, LOOPS)?;
        at_most("the number of loops within each other times that of locals is", loops * locals, LOOPED_LOCALS)?;
        at_most("the number of blocks and branches of a function is", branches, BRANCHES)?;
        self.branches += branches * branches;
        at_most("the squares of the numbers of branches of all its functions are", self.branches, ALL_BRANCHES)
    }

    /// A module or component is read to its end, and has an index from now on.
    fn end(&mut self) {
        let Some(ended) = self.frames.pop() else { return };
        let Some(outer) = self.frames.last_mut() else { return };
        if ended.is_module {
            let values = (ended.globals + ended.elements) * VALUE;
            outer.modules.push(Part::Known(values + ended.functions * FUNCTION));
        } else {
            outer.components.push(Part::Known(ended.instances));
        }
    }

    /// What gives modules and components an index, and what instantiates them.
    fn component(&mut self, payload: Payload<'_>) -> Result<(), BinaryReaderError> {
        let Some((frame, outer)) = self.frames.split_last_mut() else { return Ok(()) };
        match payload {
            Payload::InstanceSection(instances) => {
                for instance in instances {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        frame.instantiate(Part::at(&frame.modules, module_index));
                    }
                }
            }
            Payload::ComponentInstanceSection(instances) => {
                for instance in instances {
                    if let ComponentInstance::Instantiate { component_index, .. } = instance? {
                        frame.instantiate(Part::at(&frame.components, component_index));
                    }
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases {
                    match alias? {
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. } => {
                            frame.modules.push(Part::Foreign);
                        }
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => {
                            frame.components.push(Part::Foreign);
                        }
                        ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, count, index } => {
                            let part = Frame::outwards(frame, outer, count, |frame| Part::at(&frame.modules, index));
                            frame.modules.push(part);
                        }
                        ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
                            let part = Frame::outwards(frame, outer, count, |frame| Part::at(&frame.components, index));
                            frame.components.push(part);
                        }
                        _ => {}
                    }
                }
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    match import?.ty {
                        ComponentTypeRef::Module(_) => frame.modules.push(Part::Foreign),
                        ComponentTypeRef::Component(_) => frame.components.push(Part::Foreign),
                        _ => {}
                    }
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    match export.kind {
                        ComponentExternalKind::Module => frame.modules.push(Part::at(&frame.modules, export.index)),
                        ComponentExternalKind::Component => {
                            frame.components.push(Part::at(&frame.components, export.index));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Part {
    /// An index that is not there yet is an error, which whoever compiles the component will find.
    fn at(parts: &[Part], index: u32) -> Part {
        usize::try_from(index).ok().and_then(|index| parts.get(index)).copied().unwrap_or(Part::Foreign)
    }
}

impl Frame {
    /// What `find` finds so many components further out.
    fn outwards(own: &Frame, outer: &[Frame], count: u32, find: impl Fn(&Frame) -> Part) -> Part {
        match usize::try_from(count) {
            Ok(0) => find(own),
            Ok(count) => outer.len().checked_sub(count).map_or(Part::Foreign, |index| find(&outer[index])),
            Err(_) => Part::Foreign,
        }
    }

    fn instantiate(&mut self, part: Part) {
        match part {
            Part::Known(size) => self.instances = self.instances.saturating_add(size),
            Part::Foreign => self.has_foreign = true,
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.has_foreign {
            let what = "it instantiates a module or component that is not its own".to_owned();
            return Err(Refusal::Extent { what });
        }
        if self.instances > INSTANCES {
            let (wanted, most) = (bytes(self.instances), bytes(INSTANCES));
            let what = format!("its instances take {wanted} beside their memories, and at most {most} are given");
            return Err(Refusal::Extent { what });
        }
        Ok(())
    }
}
